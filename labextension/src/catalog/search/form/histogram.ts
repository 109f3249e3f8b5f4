import type { IItemHistogram } from '../../../server/contract';

/** One bar: from its first day to the day before the next period. */
export interface IBar {
  start: string;
  end: string;
  count: number;
  /** Where it stands, 0 to 1 of the width. */
  from: number;
  to: number;
}

const DAY = 86_400_000;

/** The bars with gaps where nothing was seen. */
export function barsOf({ period, bins }: IItemHistogram): IBar[] {
  const first = bins[0]?.[0];
  const last = bins[bins.length - 1]?.[0];
  if (!first || !last) {
    return [];
  }
  const begin = Date.parse(first);
  const span = Math.max(next(last, period) - begin, DAY);
  return bins.map(([start, count]) => {
    const after = next(start, period);
    return {
      start,
      end: new Date(after - DAY).toISOString().slice(0, 10),
      count,
      from: (Date.parse(start) - begin) / span,
      to: (after - begin) / span
    };
  });
}

/** The dates that a stretch of the width covers, as whole bars; none where no bar is met. */
export function datesOf(
  bars: readonly IBar[],
  one: number,
  other: number
): [start: string, end: string] | null {
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  const met = bars.filter(bar => bar.to >= low && bar.from <= high);
  const first = met[0];
  const last = met[met.length - 1];
  return first && last ? [first.start, last.end] : null;
}

function next(day: string, period: IItemHistogram['period']): number {
  const date = new Date(day);
  switch (period) {
    case 'day':
      return date.getTime() + DAY;
    case 'week':
      return date.getTime() + 7 * DAY;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    case 'year':
      return Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  }
}
