import type { JSX } from 'react';

import type { IEstimate } from '../../server/contract';

/** Where values lie in a bar's width, in percent; zero and all intervals are in it. */
export function scaleOf(
  estimates: readonly (IEstimate | null)[]
): (value: number) => number {
  const ends = estimates.flatMap(each =>
    each ? [each.value, each.low ?? each.value, each.high ?? each.value] : []
  );
  const low = Math.min(0, ...ends);
  const width = Math.max(0, ...ends) - low || 1;
  return value => (100 * (value - low)) / width;
}

interface IProps {
  estimate: IEstimate | null;
  /** Percent of the width. */
  place: (value: number) => number;
  /** Whether there is more than chance; others are pale. */
  claimed: boolean;
}

/** A bar from zero with its interval as a whisker; the table beside it has the figures. */
export function EstimateBar(props: IProps): JSX.Element | null {
  const { estimate, place, claimed } = props;
  if (!estimate) {
    return null;
  }
  const zero = place(0);
  const at = place(estimate.value);
  const left = Math.min(zero, at);
  const percent = (value: number): string => `${value}%`;
  return (
    <span className="eolab-Ablation-track" aria-hidden="true">
      <span
        className="eolab-Ablation-fill"
        data-claimed={claimed}
        style={{ left: percent(left), width: percent(Math.abs(at - zero)) }}
      />
      <span className="eolab-Ablation-zero" style={{ left: percent(zero) }} />
      {estimate.low === null || estimate.high === null ? null : (
        <span
          className="eolab-Ablation-whisker"
          style={{
            left: percent(place(estimate.low)),
            width: percent(place(estimate.high) - place(estimate.low))
          }}
        />
      )}
    </span>
  );
}
