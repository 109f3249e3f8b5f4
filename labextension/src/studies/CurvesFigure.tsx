import type { JSX } from 'react';

import { useEolab, useResource } from '../shared/context';
import type { IStudySnapshot, ITrial } from '../shared/contract';
import { CurvesChart } from './CurvesChart';

interface IProps {
  study: IStudySnapshot;
  /** The trials to draw; all where it is absent. */
  trials?: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  height: number;
  /** Where there are no curves: a word, or nothing at all. */
  silent?: boolean;
}

/** The learning curves with their caption, and where trials are stopped early. */
export function CurvesFigure(props: IProps): JSX.Element | null {
  const { study, trials, chosen, onChoose, height, silent } = props;
  const { studies, trans } = useEolab();
  const { data } = useResource(studies.study(study.name).band);
  const drawable = study.trials.some(trial => trial.curve.length > 1);
  if (!drawable && silent) {
    return null;
  }
  const bounds = data?.bounds ?? [];
  return (
    <figure>
      <figcaption>
        {bounds.length
          ? trans.__(
              'Learning curves; dashed: median of completed trials; shaded: stopped early'
            )
          : trans.__('Learning curves; dashed: median of completed trials')}
      </figcaption>
      {drawable ? (
        <CurvesChart
          study={study}
          trials={trials}
          bounds={bounds}
          chosen={chosen}
          onChoose={onChoose}
          height={height}
        />
      ) : (
        <p className="eolab-None">
          {trans.__('No trial has reported more than one step.')}
        </p>
      )}
    </figure>
  );
}
