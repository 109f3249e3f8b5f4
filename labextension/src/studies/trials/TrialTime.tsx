import type { JSX } from 'react';

import type { ITrial } from '../../server/contract';
import { formatDuration } from '../../ui/format';
import { useStudyNow, type IStudyClock } from '../model/studyClock';
import { trialDuration } from './trialRows';

interface IProps {
  trial: ITrial;
  clock: IStudyClock;
}

/** How long a trial has taken so far: the only thing in its row that changes with the time. */
export function TrialTime({ trial, clock }: IProps): JSX.Element {
  return <>{formatDuration(trialDuration(trial, useStudyNow(clock)))}</>;
}
