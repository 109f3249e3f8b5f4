import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  ISpan,
  IWorker,
  StudyState,
  TrialState
} from '../../server/contract';
import type { StudyCommand } from '../model/derive';

/** A study's state in words. */
export function studyStateWord(
  state: StudyState,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'running':
      return trans.__('running');
    case 'waiting':
      return trans.__('waiting for its disk');
    case 'paused':
      return trans.__('paused');
    case 'completed':
      return trans.__('completed');
    case 'failed':
      return trans.__('failed');
    case 'cancelled':
      return trans.__('cancelled');
    case 'interrupted':
      return trans.__('interrupted');
  }
}

/** A trial's state in words. */
export function trialStateWord(
  state: TrialState,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'completed':
      return trans.__('completed');
    case 'failed':
      return trans.__('failed');
    case 'stopped':
      return trans.__('stopped early');
  }
}

/** How one attempt at a trial ended, in words. */
export function outcomeWord(
  outcome: ISpan['outcome'],
  trans: TranslationBundle
): string {
  switch (outcome) {
    case 'lost':
      return trans.__('worker lost');
    case 'retried':
      return trans.__('failed, tried again');
    case 'interrupted':
      return trans.__('interrupted');
    default:
      return trialStateWord(outcome, trans);
  }
}

/** A worker's state in words. */
export function workerStateWord(
  state: IWorker['state'],
  trans: TranslationBundle
): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'idle':
      return trans.__('idle');
    case 'busy':
      return trans.__('busy');
    case 'lost':
      return trans.__('lost');
    case 'left':
      return trans.__('left');
  }
}

/** What a command is called on its button. */
export function commandWord(
  command: StudyCommand,
  trans: TranslationBundle
): string {
  switch (command) {
    case 'pause':
      return trans.__('Pause');
    case 'resume':
      return trans.__('Resume');
    case 'cancel':
      return trans.__('Cancel');
  }
}

/** Why a command cannot be given now. */
export function refusalWord(
  state: StudyState,
  trans: TranslationBundle
): string {
  return trans.__(
    'Not possible: the study is %1',
    studyStateWord(state, trans)
  );
}
