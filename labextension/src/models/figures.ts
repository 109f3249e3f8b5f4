import { formatValue, UNKNOWN } from '../ui/format';

/** One test figure, with its interval where it has one. */
export interface IFigure {
  name: string;
  value: number | null;
  low: number | null;
  high: number | null;
}

/** What the registry keeps beside the test figures: on how much, how often, and the study's value. */
const ABOUT = /^(test|study)_/;

/** Gather `x`, `x_low` and `x_high` to one test figure, in the order in which they came. */
export function figuresOf(
  metrics: Readonly<Record<string, number | null>>
): IFigure[] {
  const bound = /_(low|high)$/;
  return Object.keys(metrics)
    .filter(name => !ABOUT.test(name))
    .filter(name => !(bound.test(name) && name.replace(bound, '') in metrics))
    .map(name => ({
      name,
      value: metrics[name] ?? null,
      low: metrics[`${name}_low`] ?? null,
      high: metrics[`${name}_high`] ?? null
    }));
}

/** The values that the study saw, by the metric's own name. */
export function studyFigures(
  metrics: Readonly<Record<string, number | null>>
): IFigure[] {
  return Object.entries(metrics)
    .filter(([name]) => name.startsWith('study_'))
    .map(([name, value]) => ({
      name: name.slice('study_'.length),
      value,
      low: null,
      high: null
    }));
}

/** A figure as `0.831 (0.802 – 0.857)`: more digits than an interval bears say nothing. */
export function formatFigure({ value, low, high }: IFigure): string {
  return low === null || high === null
    ? formatValue(value)
    : `${short(value)} (${short(low)} – ${short(high)})`;
}

function short(value: number | null): string {
  return value === null || !Number.isFinite(value)
    ? UNKNOWN
    : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}
