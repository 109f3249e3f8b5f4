import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEstimate } from '../../server/contract';
import { formatSigned } from '../../ui/format';

/** From where to where a difference may lie; null while nobody knows. */
export function intervalWord(
  estimate: IEstimate | null | undefined,
  trans: TranslationBundle
): string | null {
  const { low = null, high = null } = estimate ?? {};
  return low === null || high === null
    ? null
    : trans.__('%1 to %2', formatSigned(low), formatSigned(high));
}
