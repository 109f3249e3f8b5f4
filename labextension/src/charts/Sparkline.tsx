import type { JSX } from 'react';

import type { Point } from '../server/contract';

interface IProps {
  points: readonly Point[];
  /** What the line shows, for those who cannot see it. */
  label: string;
  width?: number;
  height?: number;
}

/** A small stepped line: each value holds until the next. */
export function Sparkline(props: IProps): JSX.Element | null {
  const { points, label, width = 64, height = 18 } = props;
  const path = sparklinePath(points, width, height);
  if (!path) {
    return null;
  }
  return (
    <svg
      className="eolab-Sparkline"
      role="img"
      aria-label={label}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <path d={path} />
    </svg>
  );
}

/** The path of a stepped line in a box, or null where there is nothing to draw. */
export function sparklinePath(
  points: readonly Point[],
  width: number,
  height: number
): string | null {
  const known = points.filter(
    (point): point is [number, number] => point[1] !== null
  );
  const first = known[0];
  const last = known[known.length - 1];
  if (!first || !last || known.length < 2) {
    return null;
  }
  const values = known.map(point => point[1]);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = 2;
  const x = (time: number): string =>
    (
      pad +
      ((time - first[0]) / (last[0] - first[0] || 1)) * (width - 2 * pad)
    ).toFixed(1);
  const y = (value: number): string =>
    (
      height -
      pad -
      ((value - low) / (high - low || 1)) * (height - 2 * pad)
    ).toFixed(1);
  return known
    .map(([time, value], index) =>
      index === 0 ? `M${x(time)} ${y(value)}` : `H${x(time)}V${y(value)}`
    )
    .join('');
}
