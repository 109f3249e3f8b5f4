import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { Facts } from '../../ui/Facts';
import { formatMoment, formatScalar, formatValue } from '../../ui/format';
import { StateChip } from '../header/StateChip';
import type { IStudyClock } from '../model/studyClock';
import { trialStateWord } from '../text/words';
import { TrialActions } from './TrialActions';
import { TrialComparison } from './TrialComparison';
import { TrialLog } from './TrialLog';
import { shownValue } from './trialRows';
import { TrialTime } from './TrialTime';

interface IProps {
  study: IStudySnapshot;
  /** The chosen trials. */
  trials: readonly ITrial[];
  clock: IStudyClock;
  onClose: () => void;
}

/** One trial in full with its log; or several beside each other. */
export function TrialDetails(props: IProps): JSX.Element {
  const { study, trials, clock, onClose } = props;
  const trans = useTrans();
  const [trial] = trials;
  return (
    <aside
      className="eolab-Details"
      aria-label={trans.__('The selected trials')}
    >
      <div className="eolab-Details-head">
        <h3>
          {trials.length === 1 && trial
            ? trans.__('Trial %1', trial.number)
            : trans.__('%1 trials compared', trials.length)}
        </h3>
        <button
          className="eolab-IconButton"
          aria-label={trans.__('Close')}
          title={trans.__('Close')}
          onClick={onClose}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z" />
          </svg>
        </button>
      </div>
      {trials.length === 1 && trial ? (
        <>
          <Facts
            items={[
              [
                trans.__('State'),
                <StateChip
                  key="state"
                  state={trial.state}
                  word={trialStateWord(trial.state, trans)}
                />
              ],
              [study.metric, formatValue(shownValue(trial))],
              ...Object.entries(trial.params).map(
                ([name, value]) => [name, formatScalar(value)] as const
              ),
              [
                trans.__('Started'),
                trial.started === null ? null : formatMoment(trial.started)
              ],
              [
                trans.__('Time'),
                <TrialTime key="time" trial={trial} clock={clock} />
              ],
              [trans.__('Worker'), trial.worker],
              [trans.__('Attempts'), formatScalar(trial.attempts)]
            ]}
          />
          {trial.error ? (
            <p
              className="eolab-Study-error"
              data-tone={trial.state === 'failed' ? 'error' : 'plain'}
            >
              {trial.error}
            </p>
          ) : null}
          <TrialActions study={study} trial={trial} />
          <TrialLog key={trial.number} study={study} trial={trial} />
        </>
      ) : (
        <TrialComparison study={study} trials={trials} clock={clock} />
      )}
    </aside>
  );
}
