import { memo, useMemo, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ITrial } from '../../server/contract';
import type { IStudyClock } from '../model/studyClock';
import { trialCell } from './trialCells';
import type { ITrialColumn } from './trialRows';

interface IProps {
  id: string;
  trial: ITrial;
  /** The place among the sorted rows. */
  index: number;
  /** Pixels from the top. */
  start: number;
  height: number;
  columns: readonly ITrialColumn[];
  template: string;
  isBest: boolean;
  isChosen: boolean;
  isActive: boolean;
  clock: IStudyClock;
  onPick: (index: number, trial: number) => void;
}

/** One row of the trials table. */
export const TrialRow = memo(function TrialRow(props: IProps): JSX.Element {
  const { trial, index, columns, isBest, clock } = props;
  const trans = useTrans();
  // A row that only moves, because another came before it, keeps its cells.
  const cells = useMemo(
    () => columns.map(column => trialCell(trial, column, isBest, clock, trans)),
    [trial, columns, isBest, clock, trans]
  );
  return (
    // The grid itself takes the keys.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div
      id={props.id}
      className="eolab-Trials-row"
      role="row"
      aria-rowindex={index + 2}
      aria-selected={props.isChosen}
      data-active={props.isActive}
      data-best={isBest}
      style={{
        gridTemplateColumns: props.template,
        height: props.height,
        transform: `translateY(${props.start}px)`
      }}
      onClick={() => props.onPick(index, trial.number)}
    >
      {cells}
    </div>
  );
});
