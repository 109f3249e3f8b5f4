import { useState, type JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IStudySnapshot, ITrial } from '../shared/contract';
import { Tabs } from '../shared/Tabs';
import { About } from './About';
import type { Brushes, IAxis } from './axes';
import { Ablation } from './Ablation';
import { BestFigure } from './BestFigure';
import { CurvesFigure } from './CurvesFigure';
import { Importance } from './Importance';
import { ParallelChart } from './ParallelChart';
import { SlicesChart } from './SlicesChart';
import { TimelineChart } from './TimelineChart';

interface IProps {
  study: IStudySnapshot;
  axes: readonly IAxis[];
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
  now: number;
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
  const { study, axes, trials, chosen, onChoose, brushes, onBrush, now } =
    props;
  const { variant, onVariant } = props;
  const trans = useTrans();
  const isAblation = study.kind === 'ablation';
  const [picked, setActive] = useState<Picture | null>(null);
  const active = picked ?? (isAblation ? 'effects' : 'curves');
  return (
    <Tabs<Picture>
      label={trans.__('Pictures of the study')}
      tabs={[
        ...(isAblation ? ([['effects', trans.__('Effects')]] as const) : []),
        ['curves', trans.__('Curves')],
        // What an ablation varies has no order, and its effects say what matters.
        ...(isAblation
          ? []
          : ([
              ['parallel', trans.__('Parameters together')],
              ['slices', trans.__('Parameters one by one')],
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
                <BestFigure study={study} height={HEIGHT - 20} />
              </div>
            );
          case 'parallel':
            return (
              <ParallelChart
                study={study}
                axes={axes}
                trials={trials}
                chosen={chosen}
                brushes={brushes}
                onBrush={onBrush}
                height={HEIGHT}
              />
            );
          case 'slices':
            return (
              <SlicesChart
                study={study}
                axes={axes}
                trials={trials}
                chosen={chosen}
                onChoose={onChoose}
                height={HEIGHT}
              />
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
                now={now}
                height={80}
              />
            );
        }
      }}
    </Tabs>
  );
}
