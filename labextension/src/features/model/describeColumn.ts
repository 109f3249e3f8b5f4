import type { TranslationBundle } from '@jupyterlab/translation';

import type { IColumnStatistics, Scalar } from '../../server/contract';
import { formatCount, formatScalar, formatValue } from '../../ui/format';

/** A column's values in one line: the commonest where they are words, else the range. */
export function describeColumn(
  column: IColumnStatistics,
  trans: TranslationBundle
): string {
  if (column.top) {
    return column.top
      .slice(0, 4)
      .map(([value, count]) => `${formatScalar(value)} ${formatCount(count)}`)
      .join(' · ');
  }
  if (column.min === null && column.max === null) {
    // Of arrays and other nested values no figures are made.
    return column.count > column.nulls ? '–' : trans.__('no values');
  }
  const range = [short(column.min), short(column.max)] as const;
  return column.mean === null
    ? trans.__('%1 to %2', ...range)
    : trans.__('%1 to %2, mean %3', ...range, formatValue(column.mean));
}

/** A moment is told by its day where it is midnight. */
function short(value: Scalar): string {
  return formatScalar(value)
    .replace(/T00:00:00(\.0+)?(\+00:00|Z)?$/, '')
    .replace(/(T\d\d:\d\d):\d\d(\.\d+)?(\+00:00|Z)?$/, '$1');
}
