import type { JSX } from 'react';

import { useTrans } from '../../context/context';

interface IProps {
  column: string;
  histogram: { edges: number[]; counts: number[] };
}

/** How often a column's values fall in each of its bins. */
export function Histogram({ column, histogram }: IProps): JSX.Element | null {
  const trans = useTrans();
  const { counts } = histogram;
  const highest = Math.max(...counts, 0);
  if (!highest) {
    return null;
  }
  return (
    <svg
      className="eolab-Histogram"
      role="img"
      aria-label={trans.__('Histogram of %1', column)}
      viewBox={`0 0 ${counts.length} 20`}
      preserveAspectRatio="none"
    >
      {counts.map((count, bin) => (
        <rect
          key={bin}
          x={bin + 0.08}
          width={0.84}
          y={20 - (20 * count) / highest}
          height={(20 * count) / highest}
        />
      ))}
    </svg>
  );
}
