import { useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { Notice } from '../../ui/Notice';
import { Tabs } from '../../ui/Tabs';
import { Ablation } from '../ablation/Ablation';
import type { Brushes, IAxis } from '../charts/axes';
import { BestFigure } from '../charts/BestFigure';
import { CurvesFigure } from '../charts/CurvesFigure';
import { Importance } from '../charts/Importance';
import { Legend, type IMark } from '../charts/Legend';
import { ParallelChart } from '../charts/ParallelChart';
import { SlicesChart } from '../charts/SlicesChart';
import { TimelineChart } from '../charts/TimelineChart';
import type { IStudyClock } from '../model/studyClock';
import { shownValue } from '../trials/trialRows';
import { About } from './About';

interface IProps {
  study: IStudySnapshot;
  axes: readonly IAxis[];
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
  clock: IStudyClock;
  /** Of an ablation: the variant whose runs are shown. */
  variant: string | null;
  onVariant: (variant: string | null) => void;
}

const HEIGHT = 230;

type Picture =
  | 'effects'
  | 'curves'
  | 'parallel'
  | 'slices'
  | 'importance'
  | 'timeline'
  | 'about';

/** The pictures of a study, one at a time, of the trials that fit the filter. */
export function StudyPictures(props: IProps): JSX.Element {
  const { study, axes, trials, chosen, onChoose, brushes, onBrush } = props;
  const { clock, variant, onVariant } = props;
  const trans = useTrans();
  const isAblation = study.kind === 'ablation';
  const [picked, setActive] = useState<Picture | null>(null);
  const active = picked ?? (isAblation ? 'effects' : 'curves');
  const hasValues = study.trials.some(trial => shownValue(trial) !== null);
  const chosenMark: IMark[] = chosen.size
    ? [{ shape: 'dot', colour: 'warn', word: trans.__('selected') }]
    : [];
  const lineMarks: IMark[] = [
    {
      shape: 'line',
      colour: 'accent',
      word: trans.__('best quarter of the range; strong: the best')
    },
    { shape: 'line', colour: 'quiet', word: trans.__('the others') },
    ...chosenMark
  ];
  const { counts } = study;
  const dotMarks: IMark[] = [
    { shape: 'dot', colour: 'text', word: trans.__('best') },
    { shape: 'dot', colour: 'accent', word: trans.__('completed') },
    ...(counts.running
      ? ([{ shape: 'dot', colour: 'good', word: trans.__('running') }] as const)
      : []),
    ...(counts.stopped
      ? ([
          { shape: 'dot', colour: 'line', word: trans.__('stopped early') }
        ] as const)
      : []),
    ...(counts.failed
      ? ([{ shape: 'dot', colour: 'bad', word: trans.__('failed') }] as const)
      : []),
    ...chosenMark
  ];
  return (
    <Tabs<Picture>
      label={trans.__('Charts of the study')}
      tabs={[
        ...(isAblation ? ([['effects', trans.__('Effects')]] as const) : []),
        ['curves', trans.__('Curves')],
        // What an ablation varies has no order, and its effects say what matters.
        ...(isAblation
          ? []
          : ([
              ['parallel', trans.__('Parallel coordinates')],
              ['slices', trans.__('Slices')],
              ['importance', trans.__('Importance')]
            ] as const)),
        ['timeline', trans.__('Workers')],
        ['about', trans.__('About')]
      ]}
      active={active}
      onChange={setActive}
    >
      {tab => {
        switch (tab) {
          case 'effects':
            return (
              <Ablation study={study} variant={variant} onVariant={onVariant} />
            );
          case 'curves':
            return (
              <div className="eolab-Charts">
                <CurvesFigure
                  study={study}
                  trials={trials}
                  chosen={chosen}
                  onChoose={onChoose}
                  height={HEIGHT - 20}
                />
                <BestFigure
                  study={study}
                  chosen={chosen}
                  onChoose={onChoose}
                  height={HEIGHT - 20}
                />
              </div>
            );
          case 'parallel':
            return hasValues ? (
              <figure className="eolab-Wide-figure">
                <figcaption>
                  <b>
                    {trans.__('One line a trial; drag along an axis to filter')}
                  </b>
                  <Legend marks={lineMarks} />
                </figcaption>
                <ParallelChart
                  study={study}
                  axes={axes}
                  trials={trials}
                  chosen={chosen}
                  brushes={brushes}
                  onBrush={onBrush}
                  onChoose={onChoose}
                  height={HEIGHT}
                />
              </figure>
            ) : (
              <Notice title={trans.__('No trial has a value yet.')} />
            );
          case 'slices':
            return hasValues ? (
              <figure className="eolab-Wide-figure">
                <figcaption>
                  <b>{trans.__('%1 by each parameter', study.metric)}</b>
                  <Legend marks={dotMarks} />
                </figcaption>
                <SlicesChart
                  study={study}
                  axes={axes}
                  trials={trials}
                  chosen={chosen}
                  onChoose={onChoose}
                  height={HEIGHT}
                />
              </figure>
            ) : (
              <Notice title={trans.__('No trial has a value yet.')} />
            );
          case 'importance':
            return <Importance study={study} />;
          case 'about':
            return <About study={study} />;
          case 'timeline':
            return (
              <TimelineChart
                study={study}
                trials={trials}
                chosen={chosen}
                onChoose={onChoose}
                clock={clock}
                height={80}
              />
            );
        }
      }}
    </Tabs>
  );
}
