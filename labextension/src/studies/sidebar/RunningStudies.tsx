import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import { doneTrials, hasEndedState } from '../model/derive';
import { useStudies } from '../model/studiesToken';

/** The studies at work in a few words; a click opens the only one, or the panel. */
export function RunningStudies(): JSX.Element | null {
  const { commands, trans } = useEolab();
  const studies = useStudies();
  const { data } = useResource(studies.list);
  const active = (data?.studies ?? []).filter(
    study => !hasEndedState(study.state)
  );
  const [only] = active;
  if (!only) {
    return null;
  }
  const text =
    active.length === 1
      ? `${only.name} ${doneTrials(only)}/${only.budget.trials}`
      : trans._n('1 study', '%1 studies', active.length);
  return (
    <button
      className="eolab-StatusItem-button"
      data-paused={active.every(study => study.state === 'paused')}
      title={active
        .map(
          study =>
            `${study.name}: ${doneTrials(study)}/${study.budget.trials} ${study.state}`
        )
        .join('\n')}
      aria-label={trans.__('Running studies: %1', text)}
      onClick={() =>
        void (active.length === 1
          ? commands.execute(CommandIDs.openStudy, { name: only.name })
          : commands.execute(CommandIDs.openPanel))
      }
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M3 3h2v16h16v2H3zm4 9.500h3v5H7zm5-4h3v9h-3zm5-4.500h3v13.500h-3z" />
      </svg>
      {text}
    </button>
  );
}
