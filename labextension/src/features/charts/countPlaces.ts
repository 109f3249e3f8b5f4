import type { TranslationBundle } from '@jupyterlab/translation';

import type { IGroupPlaces } from '../../server/contract';
import { formatCount } from '../../ui/format';

/** How many places of what kind: `340 areas`. */
export function countPlaces(
  { total, kind }: IGroupPlaces,
  trans: TranslationBundle
): string {
  const count = formatCount(total);
  switch (kind) {
    case 'point':
      return trans._n('1 point', '%2 points', total, count);
    case 'line':
      return trans._n('1 line', '%2 lines', total, count);
    case 'area':
      return trans._n('1 area', '%2 areas', total, count);
    case 'mixed':
      return trans._n('1 geometry', '%2 geometries', total, count);
  }
}
