import { memo, useMemo, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ITrial } from '../../server/contract';
import { GridRow, type IGridPlace } from '../../ui/grid/DataGrid';
import type { IStudyClock } from '../model/studyClock';
import { trialCell } from './trialCells';
import type { ITrialColumn } from './trialRows';

interface IProps extends IGridPlace {
  trial: ITrial;
  columns: readonly ITrialColumn[];
  isBest: boolean;
  isChosen: boolean;
  clock: IStudyClock;
  onPick: (trial: number) => void;
}

/** One row of the trials table. */
export const TrialRow = memo(function TrialRow(props: IProps): JSX.Element {
  const { trial, columns, isBest, isChosen, clock, onPick, ...place } = props;
  const trans = useTrans();
  // A row that only moves, because another came before it, keeps its cells.
  const cells = useMemo(
    () => columns.map(column => trialCell(trial, column, isBest, clock, trans)),
    [trial, columns, isBest, clock, trans]
  );
  return (
    <GridRow
      place={place}
      isSelected={isChosen}
      data-best={isBest}
      onClick={() => {
        place.activate(place.index);
        onPick(trial.number);
      }}
    >
      {cells}
    </GridRow>
  );
});
