import type { Axis } from 'uplot';

import { formatDuration } from '../../ui/format';
import type { IPalette } from '../../ui/theme';

/** Steps at which seconds are read: 1, 2, 5, 10, 15, 30; minutes, hours and days the same way. */
export const TIME_STEPS: readonly number[] = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[60, 120, 300, 600, 900, 1800],
  ...[3600, 7200, 10_800, 21_600, 43_200],
  ...[1, 2, 5, 10, 20, 50, 100].map(days => days * 86_400)
];

/** The axis of the time since the start. */
export function timeAxis(palette: IPalette, label: string): Axis {
  return {
    label,
    labelSize: 16,
    labelFont: palette.font,
    size: 26,
    space: 70,
    font: palette.font,
    stroke: palette.quiet,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    incrs: [...TIME_STEPS],
    values: (_, ticks) => timeWords(ticks)
  };
}

/** Round moments up to `end` seconds, at most `most` of them, from zero on. */
export function timeTicks(end: number, most: number): number[] {
  const step =
    TIME_STEPS.find(each => end / each <= most) ?? Math.max(end / most, 1);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, k) => k * step);
}

/** Moments at an axis, with as many digits as tell them apart: `0`, `30 s`, `1 min`, `1 min 30 s`. */
export function timeWords(ticks: readonly number[]): string[] {
  const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  return ticks.map(tick => {
    if (tick === 0) {
      return '0';
    }
    if (step > 0 && step < 1 && tick < 60) {
      return `${tick.toFixed(step < 0.1 ? 2 : 1)} s`;
    }
    return formatDuration(tick)
      .replace('.0 s', ' s')
      .replace(/(min|h) 00 (s|min)$/, '$1');
  });
}
