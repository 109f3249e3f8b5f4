import type { JSX } from 'react';

import { useNow, useTrans } from '../shared/context';
import type { IStudySnapshot } from '../shared/contract';
import {
  formatCount,
  formatDuration,
  formatScalar,
  formatValue
} from '../shared/format';
import { doneTrials, elapsed, hasEndedState, remaining } from './derive';
import { Figure } from '../shared/Figure';
import { BaselineFigure } from './BaselineFigure';
import { StateChip } from './StateChip';
import { StudyActions } from './StudyActions';
import { StudyProgress } from './StudyProgress';
import { studyStateWord } from './words';

interface IProps {
  study: IStudySnapshot;
  received: number;
  children?: JSX.Element | null;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

/** A study at one glance: state, progress, best so far, time, workers; and what can be done. */
export function StudyHeader(props: IProps): JSX.Element {
  const { study, received, children } = props;
  const trans = useTrans();
  const ended = hasEndedState(study.state);
  const now = useNow(!ended);
  const lost = study.workers.filter(worker => worker.state === 'lost').length;
  const left = remaining(study);
  const { best } = study;
  const { timeout, target } = study.budget;
  const aim = isNumber(target)
    ? trans.__('target %1', formatValue(target))
    : '';
  return (
    <header className="eolab-StudyHeader">
      <div className="eolab-StudyHeader-title">
        <h2 className="eolab-Name" title={study.name}>
          {study.name}
        </h2>
        <StateChip
          state={study.state}
          word={studyStateWord(study.state, trans)}
        />
        <span className="eolab-StudyHeader-actions">
          <StudyActions study={study} />
          {children}
        </span>
      </div>
      {study.message ? (
        <p
          className="eolab-StudyHeader-message"
          data-tone={study.counts.failed ? 'error' : 'plain'}
          title={study.message}
        >
          {study.message}
        </p>
      ) : null}
      <StudyProgress study={study} />
      <div className="eolab-Figures">
        {study.kind === 'ablation' ? (
          <BaselineFigure study={study} />
        ) : (
          <Figure
            name={
              study.direction === 'maximize'
                ? trans.__('Highest %1', study.metric)
                : trans.__('Lowest %1', study.metric)
            }
            value={formatValue(best?.value)}
            detail={
              best
                ? [
                    aim,
                    trans.__('trial %1', best.trial),
                    ...Object.entries(best.params).map(
                      ([name, value]) => `${name} ${formatScalar(value)}`
                    )
                  ]
                    .filter(Boolean)
                    .join(' · ')
                : aim || trans.__('none yet')
            }
            wide
          />
        )}
        <Figure
          name={trans.__('Trials')}
          value={trans.__(
            '%1 of %2',
            formatCount(doneTrials(study)),
            formatCount(study.budget.trials)
          )}
          detail={[
            study.counts.running
              ? trans.__('%1 running', study.counts.running)
              : '',
            study.counts.stopped
              ? trans.__('%1 stopped early', study.counts.stopped)
              : '',
            study.counts.failed
              ? trans.__('%1 failed', study.counts.failed)
              : ''
          ]
            .filter(Boolean)
            .join(' · ')}
        />
        <Figure
          name={trans.__('Elapsed')}
          value={formatDuration(elapsed(study, received, now))}
          detail={[
            isNumber(timeout)
              ? trans.__('limit %1', formatDuration(timeout))
              : '',
            left === null ? '' : trans.__('about %1 left', formatDuration(left))
          ]
            .filter(Boolean)
            .join(' · ')}
        />
        <Figure
          name={trans.__('Workers')}
          value={formatCount(
            ended ? study.workers.length : study.workers_alive
          )}
          detail={[
            ended && study.workers.length ? trans.__('took part') : '',
            lost ? trans.__('%1 lost', lost) : ''
          ]
            .filter(Boolean)
            .join(' · ')}
        />
      </div>
    </header>
  );
}
