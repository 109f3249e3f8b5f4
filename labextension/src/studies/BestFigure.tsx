import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IStudySnapshot } from '../shared/contract';
import { BestChart } from './BestChart';

interface IProps {
  study: IStudySnapshot;
  height: number;
  /** Where no trial has completed: a word, or nothing at all. */
  silent?: boolean;
}

/** The best value so far with its caption. */
export function BestFigure(props: IProps): JSX.Element | null {
  const { study, height, silent } = props;
  const trans = useTrans();
  if (!study.counts.completed && silent) {
    return null;
  }
  return (
    <figure>
      <figcaption>{trans.__('Best so far')}</figcaption>
      {study.counts.completed ? (
        <BestChart study={study} height={height} />
      ) : (
        <p className="eolab-None">{trans.__('No trial has completed yet.')}</p>
      )}
    </figure>
  );
}
