import {
  API_VERSION,
  type IStatus,
  type IStudySnapshot,
  type IStudySummary,
  type ITrial
} from '../src/server/contract';

export const STATUS: IStatus = {
  version: '0.1.0',
  api: API_VERSION,
  workspace: { id: 'w1', name: 'farm', path: '/home/ann/farm' },
  sample: true
};

/** A trial that completed with this value, unless told otherwise. */
export function trial(n: number, change: Partial<ITrial> = {}): ITrial {
  return {
    number: n,
    state: 'completed',
    params: { lr: 0.1 / (n + 1), filters: 16 },
    value: n / 10,
    curve: [
      [1, n / 20],
      [2, n / 10]
    ],
    started: 1000 + n,
    ended: 1010 + n,
    attempts: 1,
    worker: 'w0',
    error: null,
    ...change
  };
}

/** A study that runs, with these trials. */
export function study(
  trials: ITrial[],
  change: Partial<IStudySnapshot> = {}
): IStudySnapshot {
  const count = (state: ITrial['state']): number =>
    trials.filter(each => each.state === state).length;
  const best = trials
    .filter(each => each.state === 'completed' && each.value !== null)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
  return {
    name: 'crops',
    kind: 'tune',
    state: 'running',
    message: '',
    metric: 'val_macro_f1',
    direction: 'maximize',
    created: 999,
    started: 1000,
    ended: null,
    now: 1060,
    budget: { trials: 10, timeout: null, target: null },
    counts: {
      queued: count('queued'),
      running: count('running'),
      completed: count('completed'),
      failed: count('failed'),
      stopped: count('stopped')
    },
    best: best
      ? { trial: best.number, value: best.value ?? 0, params: best.params }
      : null,
    best_curve: [],
    workers_alive: 2,
    allowed: ['pause', 'cancel', 'stop', 'retry', 'set'],
    allowed_of_trials: {
      queued: ['stop'],
      running: ['stop'],
      completed: [],
      failed: ['retry'],
      stopped: ['retry']
    },
    seq: trials.length,
    parameters: [
      {
        name: 'lr',
        kind: 'float',
        low: 1e-4,
        high: 0.1,
        log: true,
        choices: null,
        step: null,
        when: null
      },
      {
        name: 'filters',
        kind: 'choice',
        low: null,
        high: null,
        log: null,
        choices: [16, 32],
        step: null,
        when: null
      }
    ],
    workers: [],
    trials,
    ...change
  };
}

/** The short form of a study. */
export function summary(change: Partial<IStudySummary> = {}): IStudySummary {
  return { ...study([]), ...change };
}
