import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { allows, allowsForTrial } from '../model/derive';
import { refusalWord, trialStateWord } from '../text/words';

interface IProps {
  study: IStudySnapshot;
  trial: ITrial;
}

/** Stop a trial, or try it again; what cannot be done says why. */
export function TrialActions({ study, trial }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const actions = [
    {
      word: trans.__('Stop this trial'),
      command: CommandIDs.stopTrial,
      refusal: whyNot(study, trial, 'stop', trans)
    },
    {
      word: trans.__('Try again'),
      command: CommandIDs.retryTrial,
      refusal: whyNot(study, trial, 'retry', trans)
    }
  ];
  return (
    <div className="eolab-Details-actions">
      {actions.map(({ word, command, refusal }) => (
        <button
          key={command}
          className="eolab-Button"
          // Not `disabled`: a disabled button cannot be reached to learn why.
          aria-disabled={refusal !== null}
          title={refusal ?? undefined}
          onClick={() => {
            if (refusal === null) {
              void commands.execute(command, {
                name: study.name,
                trial: trial.number
              });
            }
          }}
        >
          {word}
        </button>
      ))}
    </div>
  );
}

/** Why the server would refuse a command about this trial; null where it takes it. */
function whyNot(
  study: IStudySnapshot,
  trial: ITrial,
  command: 'stop' | 'retry',
  trans: TranslationBundle
): string | null {
  if (allowsForTrial(study, trial, command)) {
    return null;
  }
  if (!allows(study, command)) {
    return refusalWord(study.state, trans);
  }
  const state = trialStateWord(trial.state, trans);
  return command === 'retry'
    ? trans.__(
        'Only failed and stopped trials are tried again: this one is %1',
        state
      )
    : trans.__('Not possible: the trial is %1', state);
}
