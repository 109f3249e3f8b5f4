import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySummary } from '../../server/contract';
import { doneTrials } from '../model/derive';

interface IProps {
  study: IStudySummary;
}

/** How much of the budget is done, by how the trials ended. */
export function StudyProgress({ study }: IProps): JSX.Element {
  const trans = useTrans();
  const { completed, stopped, failed, running } = study.counts;
  const total = Math.max(study.budget.trials, doneTrials(study) + running, 1);
  const share = (count: number): string => `${(100 * count) / total}%`;
  const said = trans.__(
    '%1 of %2 trials done: %3 completed, %4 stopped early, %5 failed; %6 running',
    doneTrials(study),
    study.budget.trials,
    completed,
    stopped,
    failed,
    running
  );
  return (
    <div
      className="eolab-Progress"
      role="progressbar"
      aria-label={trans.__('Trials of %1', study.name)}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={doneTrials(study)}
      aria-valuetext={said}
      title={said}
    >
      <span data-state="completed" style={{ width: share(completed) }} />
      <span data-state="stopped" style={{ width: share(stopped) }} />
      <span data-state="failed" style={{ width: share(failed) }} />
      <span data-state="running" style={{ width: share(running) }} />
    </div>
  );
}
