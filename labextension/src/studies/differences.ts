import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEstimate } from '../shared/contract';
import { formatValue } from '../shared/format';

/** A difference with its sign: `+0.123`. */
export function signed(value: number): string {
  return `${value > 0 ? '+' : value < 0 ? '\u2212' : ''}${formatValue(Math.abs(value))}`;
}

/** From where to where a difference may lie; null while nobody knows. */
export function intervalWord(
  estimate: IEstimate | null | undefined,
  trans: TranslationBundle
): string | null {
  const { low = null, high = null } = estimate ?? {};
  return low === null || high === null
    ? null
    : trans.__('%1 to %2', signed(low), signed(high));
}
