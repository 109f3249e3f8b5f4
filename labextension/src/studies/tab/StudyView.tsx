import { useState, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import { Pending } from '../../ui/Pending';
import { formatCount } from '../../ui/format';
import { Stale } from '../../ui/Stale';
import { Ablation } from '../ablation/Ablation';
import { BestFigure } from '../charts/BestFigure';
import { CurvesFigure } from '../charts/CurvesFigure';
import { StudyHeader } from '../header/StudyHeader';
import { useStudy } from '../model/useStudy';
import { TrialsTable } from '../trials/TrialsTable';

interface IProps {
  name: string;
}

/** A study under a cell: at one glance, with its curves and trials. */
export function StudyView({ name }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const { model, study, error, received, clock, chosen, toggle } =
    useStudy(name);
  const [variant, setVariant] = useState<string | null>(null);
  if (!study) {
    return <Pending error={error} onRetry={() => void model.refresh()} />;
  }
  const failures = study.trials.filter(
    trial => trial.state === 'failed' && trial.error !== null
  );
  const failed = failures[failures.length - 1];
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
      {study.kind === 'ablation' ? (
        <Ablation
          study={study}
          variant={variant}
          onVariant={setVariant}
          compact
        />
      ) : (
        <div className="eolab-Charts">
          <CurvesFigure
            study={study}
            chosen={chosen}
            onChoose={toggle}
            height={180}
            silent
          />
          <BestFigure
            study={study}
            chosen={chosen}
            onChoose={toggle}
            height={180}
            silent
          />
        </div>
      )}
      {study.trials.length ? (
        <TrialsTable
          study={study}
          trials={
            variant === null
              ? study.trials
              : study.trials.filter(trial => trial.params.variant === variant)
          }
          clock={clock}
          chosen={chosen}
          onChoose={toggle}
          maxHeight={216}
        />
      ) : (
        <p className="eolab-None">{trans.__('No trial has started yet.')}</p>
      )}
      {failed ? (
        <p className="eolab-Study-error" title={failed.error ?? undefined}>
          {failures.length > 1
            ? trans.__(
                'Trial %1, the last of %2 that failed: %3',
                failed.number,
                formatCount(failures.length),
                failed.error ?? ''
              )
            : trans.__('Trial %1: %2', failed.number, failed.error ?? '')}
        </p>
      ) : null}
    </section>
  );
}
