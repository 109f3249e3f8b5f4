import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { hasEndedState } from '../model/derive';
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
      refusal: whyNotStop(study, trial, trans)
    },
    {
      word: trans.__('Try again'),
      command: CommandIDs.retryTrial,
      refusal:
        trial.state === 'failed' || trial.state === 'stopped'
          ? null
          : trans.__(
              'Only failed and stopped trials are tried again: this one is %1',
              trialStateWord(trial.state, trans)
            )
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
                trial: trial.n
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

function whyNotStop(
  study: IStudySnapshot,
  trial: ITrial,
  trans: TranslationBundle
): string | null {
  if (hasEndedState(study.state)) {
    return refusalWord(study.state, trans);
  }
  return trial.state === 'running' || trial.state === 'queued'
    ? null
    : trans.__(
        'Not possible: the trial is %1',
        trialStateWord(trial.state, trans)
      );
}
