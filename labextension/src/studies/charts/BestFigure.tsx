import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { BestChart } from './BestChart';
import { Legend } from './Legend';

interface IProps {
  study: IStudySnapshot;
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  height: number;
  /** Where no trial has completed: a word, or nothing at all. */
  silent?: boolean;
}

/** The best value so far with its caption. */
export function BestFigure(props: IProps): JSX.Element | null {
  const { study, chosen, onChoose, height, silent } = props;
  const trans = useTrans();
  if (!study.counts.completed && silent) {
    return null;
  }
  return (
    <figure>
      <figcaption>
        <b>{trans.__('%1, best so far', study.metric)}</b>
        {study.counts.completed ? (
          <Legend
            marks={[
              {
                shape: 'line',
                colour: 'accent',
                word: trans.__('best so far')
              },
              {
                shape: 'dot',
                colour: 'quiet',
                word: trans.__('completed trial')
              }
            ]}
          />
        ) : null}
      </figcaption>
      {study.counts.completed ? (
        <BestChart
          study={study}
          chosen={chosen}
          onChoose={onChoose}
          height={height}
        />
      ) : (
        <p className="eolab-None">{trans.__('No trial has completed yet.')}</p>
      )}
    </figure>
  );
}
