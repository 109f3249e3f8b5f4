import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { formatCount } from '../../ui/format';
import { useStudies } from '../model/studiesToken';
import { CurvesChart, LIMIT } from './CurvesChart';
import { Legend, type IMark } from './Legend';

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
  const trans = useTrans();
  const studies = useStudies();
  const { data } = useResource(studies.study(study.name).band);
  const curves = (trials ?? study.trials).filter(
    trial => trial.curve.length > 0
  ).length;
  const drawable = study.trials.some(trial => trial.curve.length > 1);
  if (!drawable && silent) {
    return null;
  }
  const bounds = data?.bounds ?? [];
  // What is not in the picture is not in its legend.
  const marks: (IMark | null)[] = [
    study.best
      ? { shape: 'line', colour: 'accent', word: trans.__('best') }
      : null,
    study.counts.running
      ? { shape: 'line', colour: 'good', word: trans.__('running') }
      : null,
    chosen.size
      ? { shape: 'line', colour: 'warn', word: trans.__('selected') }
      : null,
    study.counts.completed >= 3
      ? { shape: 'dash', colour: 'text', word: trans.__('median') }
      : null,
    bounds.length
      ? { shape: 'area', colour: 'bad', word: trans.__('stopped early here') }
      : null
  ];
  return (
    <figure>
      <figcaption>
        <b>
          {curves > LIMIT
            ? trans.__(
                '%1 by step, the best %2 of %3',
                study.metric,
                LIMIT,
                formatCount(curves)
              )
            : trans.__('%1 by step', study.metric)}
        </b>
        {drawable ? (
          <Legend marks={marks.filter(mark => mark !== null)} />
        ) : null}
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
