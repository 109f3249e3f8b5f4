import type { JSX } from 'react';

import { Sparkline } from '../../charts/Sparkline';
import { CommandIDs } from '../../context/commandIds';
import { useEolab, useNow } from '../../context/context';
import type { IStudySummary } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';
import { Facts } from '../../ui/Facts';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatScalar,
  formatValue
} from '../../ui/format';
import { StateChip } from '../header/StateChip';
import { EntityButton } from '../../entities/EntityButton';
import { useShown } from '../../entities/entitiesToken';
import { StudyActions } from '../header/StudyActions';
import { StudyProgress } from '../header/StudyProgress';
import { doneTrials, elapsed, isAtWork, remaining } from '../model/derive';
import { studyStateWord } from '../text/words';

interface IProps {
  study: IStudySummary;
  /** When this summary came. */
  received: number;
}

/** One study in the list: state, progress, best value and how it came about. */
export function StudyRow({ study, received }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const { title } = useShown('study')(study.name);
  const running = isAtWork(study.state);
  const now = useNow(running, 5000);
  const left = remaining(study);
  // The best run of an ablation is luck.
  const best = study.kind === 'ablation' ? null : study.best;
  return (
    <Disclosure
      title={study.message || study.name}
      label={<span className="eolab-Name">{title || study.name}</span>}
      detail={
        <span className="eolab-StudyRow">
          <span className="eolab-StudyRow-line">
            <StateChip
              state={study.state}
              word={studyStateWord(study.state, trans)}
            />
            <span>
              {trans.__(
                '%1 of %2',
                formatCount(doneTrials(study)),
                formatCount(study.budget.trials)
              )}
            </span>
            {left === null ? null : (
              <span>{trans.__('%1 left', formatDuration(left))}</span>
            )}
          </span>
          <StudyProgress study={study} />
          {best ? (
            <span className="eolab-StudyRow-line">
              <span className="eolab-StudyRow-best">
                {`${study.metric} `}
                <b>{formatValue(best.value)}</b>
              </span>
              <Sparkline
                points={study.best_curve}
                label={trans.__('Best value so far')}
              />
            </span>
          ) : null}
        </span>
      }
      actions={
        <>
          <StudyActions study={study} compact />
          <EntityButton kind="study" id={study.name} />
        </>
      }
    >
      {() => (
        <>
          {study.message ? <p className="eolab-Text">{study.message}</p> : null}
          <Facts
            items={[
              [trans.__('Name'), title ? study.name : null],
              [trans.__('Best trial'), best ? String(best.trial) : null],
              ...Object.entries(best?.params ?? {}).map(
                ([name, value]) => [name, formatScalar(value)] as const
              ),
              [
                trans.__('Goal'),
                study.direction === 'maximize'
                  ? trans.__('highest %1', study.metric)
                  : trans.__('lowest %1', study.metric)
              ],
              [
                trans.__('Failed'),
                study.counts.failed ? formatCount(study.counts.failed) : null
              ],
              [
                trans.__('Stopped early'),
                study.counts.stopped ? formatCount(study.counts.stopped) : null
              ],
              [
                trans.__('Workers'),
                running ? formatCount(study.workers_alive) : null
              ],
              [
                trans.__('Elapsed'),
                formatDuration(elapsed(study, received, now))
              ],
              [trans.__('Created'), formatMoment(study.created)]
            ]}
          />
          {commands.hasCommand(CommandIDs.openStudy) ? (
            <button
              className="eolab-Button"
              onClick={() =>
                void commands.execute(CommandIDs.openStudy, {
                  name: study.name
                })
              }
            >
              {trans.__('Open')}
            </button>
          ) : null}
        </>
      )}
    </Disclosure>
  );
}
