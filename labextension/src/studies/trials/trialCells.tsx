import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { ITrial } from '../../server/contract';
import {
  formatCount,
  formatDuration,
  formatScalar,
  formatValue
} from '../../ui/format';
import { StateChip } from '../header/StateChip';
import type { IStudyClock } from '../model/studyClock';
import { trialStateWord } from '../text/words';
import { shownValue, trialDuration, type ITrialColumn } from './trialRows';
import { TrialTime } from './TrialTime';

/**
 * One cell of the trials table.
 *
 * Not a component: a scroll makes two hundred of them in a frame, and a component each takes twice
 * the time.
 */
export function trialCell(
  trial: ITrial,
  column: ITrialColumn,
  isBest: boolean,
  clock: IStudyClock,
  trans: TranslationBundle
): JSX.Element {
  const cell = (content: string | JSX.Element, title?: string): JSX.Element => (
    <div
      key={column.id}
      role="gridcell"
      className="eolab-DataGrid-cell"
      data-numeric={column.numeric}
      title={title}
    >
      {content}
    </div>
  );
  switch (column.id) {
    case 'n':
      return cell(
        String(trial.number),
        isBest ? trans.__('The best trial') : undefined
      );
    case 'state': {
      const word = trialStateWord(trial.state, trans);
      return cell(
        <StateChip
          state={trial.state}
          word={
            trial.attempts > 1
              ? trans.__('%1, try %2', word, trial.attempts)
              : word
          }
        />,
        trial.error ?? undefined
      );
    }
    case 'value':
      return cell(formatValue(shownValue(trial)));
    case 'step':
      return cell(formatCount(trial.curve[trial.curve.length - 1]?.[0]));
    case 'duration':
      return cell(
        trial.ended === null && trial.started !== null ? (
          <TrialTime trial={trial} clock={clock} />
        ) : (
          formatDuration(trialDuration(trial, 0))
        )
      );
    case 'worker':
      return cell(trial.worker ?? '', trial.worker ?? undefined);
    case 'error':
      return cell(trial.error ?? '', trial.error ?? undefined);
    default: {
      const value = trial.params[column.param ?? ''];
      return cell(
        formatScalar(value),
        value === undefined ? undefined : String(value)
      );
    }
  }
}
