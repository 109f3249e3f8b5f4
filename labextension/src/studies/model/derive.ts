import type {
  Command,
  IStudyCommandRequest,
  IStudySnapshot,
  IStudySummary,
  ITrial,
  StudyState
} from '../../server/contract';

/** How many trials of the budget have come to an end, however they ended. */
export function doneTrials(study: IStudySummary): number {
  const { completed, failed, stopped } = study.counts;
  return completed + failed + stopped;
}

/** Seconds that a study has run, at the moment `now` of this machine's clock. */
export function elapsed(
  study: IStudySummary,
  received: number,
  now: number
): number | null {
  if (study.started === null) {
    return null;
  }
  if (study.ended !== null) {
    return study.ended - study.started;
  }
  // The server's clock may differ from ours: count on from what it said.
  return study.now - study.started + Math.max(0, now - received);
}

/** Seconds that are left at the pace so far, or null while there is none. */
export function remaining(study: IStudySummary): number | null {
  const done = doneTrials(study);
  if (study.state !== 'running' || study.started === null || done === 0) {
    return null;
  }
  const left = Math.max(0, study.budget.trials - done);
  return ((study.now - study.started) / done) * left;
}

/** Whether a study has processes that work, or wait for room on their disk. */
export function isAtWork(state: StudyState): boolean {
  return state === 'running' || state === 'waiting';
}

/** Whether a study has come to rest. */
export function hasEndedState(state: StudyState): boolean {
  return (
    state === 'completed' ||
    state === 'failed' ||
    state === 'cancelled' ||
    state === 'interrupted'
  );
}

/** What is asked of a study as a whole. */
export type StudyCommand = IStudyCommandRequest['command'];

/** Whether the server takes a command now; an older one does not say so. */
export function allows(
  { allowed }: Partial<Pick<IStudySummary, 'allowed'>>,
  command: Command
): boolean {
  return allowed?.includes(command) ?? false;
}

/** Whether the server takes a command about a trial now. */
export function allowsForTrial(
  {
    allowed_of_trials: allowed
  }: Partial<Pick<IStudySnapshot, 'allowed_of_trials'>>,
  { state }: Pick<ITrial, 'state'>,
  command: Command
): boolean {
  return allowed?.[state].includes(command) ?? false;
}

/** Whether `a` beats `b` in the study's direction. */
export function beats(
  a: number,
  b: number,
  direction: IStudySummary['direction']
): boolean {
  return direction === 'maximize' ? a > b : a < b;
}
