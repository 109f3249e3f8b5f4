import type { JSX } from 'react';

import { Figure } from '../../charts/Figure';
import { useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { formatCount, formatScalar, formatValue } from '../../ui/format';
import { doneTrials, hasEndedState } from '../model/derive';
import { studyStateWord } from '../text/words';
import { BaselineFigure } from './BaselineFigure';
import { ElapsedFigure } from './ElapsedFigure';
import { StateChip } from './StateChip';
import { StudyActions } from './StudyActions';
import { StudyProgress } from './StudyProgress';

interface IProps {
  study: IStudySnapshot;
  received: number;
  children?: JSX.Element | null;
}

/** A study at one glance: state, progress, best so far, time, workers; and what can be done. */
export function StudyHeader(props: IProps): JSX.Element {
  const { study, received, children } = props;
  const trans = useTrans();
  const ended = hasEndedState(study.state);
  const lost = study.workers.filter(worker => worker.state === 'lost').length;
  const { best } = study;
  const { target } = study.budget;
  const aim =
    typeof target === 'number'
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
        <ElapsedFigure study={study} received={received} />
        <Figure
          name={trans.__('Workers')}
          value={formatCount(
            ended ? study.workers.length : study.workers_alive
          )}
          detail={[
            ended && study.workers.length ? trans.__('workers used') : '',
            lost ? trans.__('%1 lost', lost) : ''
          ]
            .filter(Boolean)
            .join(' · ')}
        />
      </div>
    </header>
  );
}
