import { formatValue } from '../shared/format';

/** One test figure, with its interval where it has one. */
export interface IFigure {
  name: string;
  value: number | null;
  low: number | null;
  high: number | null;
}

/** Gather `x`, `x_low` and `x_high` to one figure, in the order in which they came. */
export function figuresOf(
  metrics: Readonly<Record<string, number | null>>
): IFigure[] {
  const bound = /_(low|high)$/;
  return Object.keys(metrics)
    .filter(name => !(bound.test(name) && name.replace(bound, '') in metrics))
    .map(name => ({
      name,
      value: metrics[name] ?? null,
      low: metrics[`${name}_low`] ?? null,
      high: metrics[`${name}_high`] ?? null
    }));
}

/** A figure as `0.831 (0.802 – 0.857)`. */
export function formatFigure({ value, low, high }: IFigure): string {
  return low === null || high === null
    ? formatValue(value)
    : `${formatValue(value)} (${formatValue(low)} – ${formatValue(high)})`;
}
