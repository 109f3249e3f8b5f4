import { useState, type JSX } from 'react';

import { CommandIDs } from '../shared/commandIds';
import { useEolab, useNow, useResource } from '../shared/context';
import { Failure } from '../shared/Failure';
import { Loading } from '../shared/Loading';
import { Stale } from '../shared/Stale';
import { BestChart } from './BestChart';
import { CurvesChart } from './CurvesChart';
import { hasEndedState } from './derive';
import { StudyHeader } from './StudyHeader';
import { TrialsTable } from './TrialsTable';

interface IProps {
  name: string;
}

/** A study under a cell: at one glance, with its curves and trials. */
export function StudyView({ name }: IProps): JSX.Element {
  const { commands, studies, trans } = useEolab();
  const model = studies.study(name);
  const { data: study, error, received } = useResource(model);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const running = study !== null && !hasEndedState(study.state);
  const clock = useNow(running);
  if (!study) {
    return error ? (
      <Failure error={error} onRetry={() => void model.refresh()} />
    ) : (
      <Loading />
    );
  }
  const now = study.now + Math.max(0, clock - received);
  const toggle = (trial: number): void => {
    const next = new Set(chosen);
    if (!next.delete(trial)) {
      next.add(trial);
    }
    setChosen(next);
  };
  const failed = study.trials
    .filter(trial => trial.state === 'failed' && trial.error !== null)
    .pop();
  return (
    <section
      className="eolab-Study"
      aria-label={trans.__('Study %1', study.name)}
    >
      <Stale error={error} />
      <StudyHeader study={study} received={received}>
        {commands.hasCommand(CommandIDs.openStudy) ? (
          <button
            className="eolab-Button"
            onClick={() =>
              void commands.execute(CommandIDs.openStudy, { name })
            }
          >
            {trans.__('Open')}
          </button>
        ) : null}
      </StudyHeader>
      <div className="eolab-Charts">
        {study.trials.some(trial => trial.curve.length > 1) ? (
          <figure>
            <figcaption>
              {trans.__('Learning curves; dashed: median of completed trials')}
            </figcaption>
            <CurvesChart
              study={study}
              chosen={chosen}
              onChoose={toggle}
              height={180}
            />
          </figure>
        ) : null}
        {study.counts.completed ? (
          <figure>
            <figcaption>{trans.__('Best so far')}</figcaption>
            <BestChart study={study} height={180} />
          </figure>
        ) : null}
      </div>
      {study.trials.length ? (
        <TrialsTable
          study={study}
          now={now}
          chosen={chosen}
          onChoose={toggle}
          maxHeight={216}
        />
      ) : (
        <p className="eolab-None">{trans.__('No trial has started yet.')}</p>
      )}
      {failed ? (
        <p className="eolab-Study-error" title={failed.error ?? undefined}>
          {trans.__('Trial %1: %2', failed.n, failed.error ?? '')}
        </p>
      ) : null}
    </section>
  );
}
