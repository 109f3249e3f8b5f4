import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { ITrial } from '../shared/contract';
import {
  formatCount,
  formatDuration,
  formatScalar,
  formatValue
} from '../shared/format';
import { StateChip } from './StateChip';
import { shownValue, trialDuration, type ITrialColumn } from './trialRows';
import { isNumeric } from './TrialsHead';
import { trialStateWord } from './words';

interface IProps {
  isBest: boolean;
  trial: ITrial;
  column: ITrialColumn;
  now: number;
}

/** One cell of the trials table. */
export function TrialCell(props: IProps): JSX.Element {
  const { isBest, trial, column, now } = props;
  const trans = useTrans();
  const cell = (content: string | JSX.Element, title?: string): JSX.Element => (
    <div
      role="gridcell"
      className="eolab-Trials-cell"
      data-numeric={isNumeric(column.id)}
      title={title}
    >
      {content}
    </div>
  );
  switch (column.id) {
    case 'n':
      return cell(
        String(trial.n),
        isBest ? trans.__('The best trial') : undefined
      );
    case 'state':
      return cell(
        <StateChip
          state={trial.state}
          word={
            trial.attempts > 1
              ? trans.__(
                  '%1, try %2',
                  trialStateWord(trial.state, trans),
                  trial.attempts
                )
              : trialStateWord(trial.state, trans)
          }
        />,
        trial.error ?? undefined
      );
    case 'value':
      return cell(formatValue(shownValue(trial)));
    case 'step':
      return cell(formatCount(trial.curve[trial.curve.length - 1]?.[0]));
    case 'duration':
      return cell(formatDuration(trialDuration(trial, now)));
    case 'worker':
      return cell(trial.worker ?? '', trial.worker ?? undefined);
    default: {
      const value = trial.params[column.param ?? ''];
      return cell(
        formatScalar(value),
        value === undefined ? undefined : String(value)
      );
    }
  }
}
