import type { IColumnStatistics } from '../../server/contract';

type Histogram = NonNullable<IColumnStatistics['histogram']>;

/** A histogram in a box of one by one, comparable with others of other edges and sizes. */
export interface IShape {
  /** Left, right (0 to 1) and height (0 to 1) of each bin. */
  bins: [left: number, right: number, height: number][];
}

/**
 * Histograms over each other: as shares by width, so that commits with more rows or other bins are
 * not higher for that.
 */
export function shapesOf(histograms: readonly (Histogram | null)[]): {
  low: number;
  high: number;
  shapes: (IShape | null)[];
} {
  const edges = histograms.flatMap(each => each?.edges ?? []);
  const low = Math.min(...edges);
  const high = Math.max(...edges);
  const span = high - low || 1;
  const raw = histograms.map(each => {
    const total = each?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
    if (!each || !total) {
      return null;
    }
    return each.counts.map((count, bin): [number, number, number] => {
      const left = ((each.edges[bin] ?? low) - low) / span;
      const right = ((each.edges[bin + 1] ?? high) - low) / span;
      // One value only: a bin without width is a thin bar in the middle.
      return right > left
        ? [left, right, count / total / (right - left)]
        : [Math.max(0, left - 0.01), left + 0.02, 0];
    });
  });
  const most = Math.max(
    ...raw.flatMap(bins => bins?.map(([, , height]) => height) ?? []),
    1e-12
  );
  return {
    low,
    high,
    shapes: raw.map(
      bins =>
        bins && {
          bins: bins.map(([left, right, height]) => [
            left,
            right,
            // Of one value all rows are there: it reaches to the top.
            bins.length === 1 ? 1 : height / most
          ])
        }
    )
  };
}

/** The outline of a histogram as an SVG path in a box of this size. */
export function outline(shape: IShape, width: number, height: number): string {
  const at = (x: number, y: number): string =>
    `${(x * width).toFixed(1)} ${(height - y * height).toFixed(1)}`;
  const first = shape.bins[0];
  const last = shape.bins[shape.bins.length - 1];
  if (!first || !last) {
    return '';
  }
  const steps = shape.bins.map(
    ([left, right, top]) => `L${at(left, top)}L${at(right, top)}`
  );
  return `M${at(first[0], 0)}${steps.join('')}L${at(last[1], 0)}`;
}
