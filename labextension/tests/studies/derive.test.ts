// @vitest-environment node
import { describe, expect, it } from 'vitest';

import {
  alignBest,
  alignCurves,
  bestHistory,
  curvesToDraw,
  mediansByStep
} from '../../src/studies/charts/histories';
import {
  allows,
  allowsForTrial,
  elapsed,
  hasEndedState,
  isAtWork,
  remaining
} from '../../src/studies/model/derive';
import { sortTrials } from '../../src/studies/trials/trialRows';
import { study, trial } from '../samples';

describe('the time of a study', () => {
  it('goes on between two answers, by our clock since the answer came', () => {
    // The server is a year ahead of this machine: only differences may count.
    const ahead = study([], { started: 40_000_000, now: 40_000_060 });
    expect(elapsed(ahead, 500, 507)).toBe(67);
  });

  it('stands still when the study has ended', () => {
    const ended = study([], { state: 'completed', ended: 1042 });
    expect(elapsed(ended, 0, 99_999)).toBe(42);
  });

  it('left is the pace so far times what is left, and unknown before the first end', () => {
    expect(remaining(study([]))).toBeNull();
    // 3 of 10 in 60 s: 7 more at 20 s each; failed and stopped trials are done too.
    const some = study([
      trial(0),
      trial(1, { state: 'failed', value: null }),
      trial(2, { state: 'stopped' })
    ]);
    expect(remaining(some)).toBeCloseTo(140);
    expect(remaining({ ...some, state: 'paused' })).toBeNull();
  });
});

it('a study that waits for its disk is at work, has no time left to tell and has not ended', () => {
  const waiting = study([trial(0)], { state: 'waiting' });
  expect(isAtWork(waiting.state)).toBe(true);
  expect(hasEndedState(waiting.state)).toBe(false);
  expect(remaining(waiting)).toBeNull();
});

it('commands are allowed where the server says so', () => {
  expect(allows(study([]), 'pause')).toBe(true);
  expect(allows(study([], { allowed: ['resume'] }), 'resume')).toBe(true);
  expect(allows(study([], { allowed: ['resume'] }), 'cancel')).toBe(false);
  // An older server does not say.
  expect(allows({}, 'pause')).toBe(false);
});

it('commands about a trial are allowed where the server says so', () => {
  const running = study([]);
  expect(allowsForTrial(running, { state: 'failed' }, 'retry')).toBe(true);
  expect(allowsForTrial(running, { state: 'completed' }, 'retry')).toBe(false);
  expect(allowsForTrial({}, { state: 'failed' }, 'retry')).toBe(false);
});

describe('the best so far', () => {
  const trials = [
    trial(0, { value: 0.3, ended: 1030 }),
    trial(1, { value: 0.1, ended: 1010 }),
    trial(2, { value: 0.2, ended: 1020 }),
    trial(3, { state: 'stopped', value: 0.9, ended: 1015 })
  ];

  it('goes by the time of the end and leaves stopped trials out', () => {
    const { trials: ended, ...history } = bestHistory(study(trials));
    expect(ended.map(each => each.number)).toEqual([1, 2, 0]);
    expect(history).toEqual({
      times: [10, 20, 30],
      values: [0.1, 0.2, 0.3],
      best: [0.1, 0.2, 0.3]
    });
  });

  it('falls where the goal is the lowest value', () => {
    expect(bestHistory(study(trials, { direction: 'minimize' })).best).toEqual([
      0.1, 0.1, 0.1
    ]);
  });
});

it('several studies are drawn from their own starts, and hold their best until the end', () => {
  const a = study([], {
    started: 1000,
    ended: 1030,
    best_curve: [[1010, 0.5]]
  });
  const b = study([], {
    started: 5000,
    now: 5010,
    best_curve: [
      [5005, 0.1],
      [5010, 0.2]
    ]
  });
  expect(alignBest([a, b, study([])])).toEqual([
    [5, 10, 30],
    [null, 0.5, 0.5],
    [0.1, 0.2, null],
    [null, null, null]
  ]);
});

describe('learning curves', () => {
  it('stand on one axis, with gaps where a trial reported nothing', () => {
    const a = trial(0, {
      curve: [
        [1, 0.1],
        [3, 0.3]
      ]
    });
    const b = trial(1, {
      curve: [
        [2, 0.2],
        [3, null]
      ]
    });
    expect(alignCurves([a, b])).toEqual([
      [1, 2, 3],
      [0.1, null, 0.3],
      [null, 0.2, null]
    ]);
  });

  it('have a median of what completed, where enough reported', () => {
    const curves = [0.1, 0.2, 0.4, 0.8].map((value, n) =>
      trial(n, {
        curve:
          n < 3
            ? [[1, value]]
            : [
                [1, value],
                [2, value]
              ]
      })
    );
    const failed = trial(9, { state: 'failed', curve: [[1, -100]] });
    const medians = mediansByStep([...curves, failed]);
    expect(medians.get(1)).toBeCloseTo(0.3);
    expect(medians.get(2)).toBeUndefined();
    expect(mediansByStep(curves.slice(0, 3)).get(1)).toBe(0.2);
  });

  it('of 10,000 trials: the best, the chosen and the running ones are among the 200', () => {
    const many = Array.from({ length: 10_000 }, (_, n) =>
      trial(n, n % 100 === 7 ? { state: 'running', value: null } : {})
    );
    const drawn = curvesToDraw(study(many), many, new Set([3]), 200);
    const numbers = new Set(drawn.map(each => each.number));
    expect(drawn).toHaveLength(200);
    expect(numbers.has(9999)).toBe(true);
    expect(numbers.has(3)).toBe(true);
    expect(drawn.filter(each => each.state === 'running')).toHaveLength(100);
  });
});

describe('the trials table', () => {
  it('sorts numbers as numbers and puts unknown values last both ways', () => {
    const rows = [
      trial(0, { value: 0.5 }),
      trial(1, { state: 'queued', value: null, curve: [] }),
      trial(2, { value: 0.9 })
    ];
    const order = (descending: boolean): number[] =>
      sortTrials(study(rows), rows, { column: 'value', descending }).map(
        each => each.number
      );
    expect(order(true)).toEqual([2, 0, 1]);
    expect(order(false)).toEqual([0, 2, 1]);
  });

  it('shows the last report of a trial that still runs', () => {
    const rows = [
      trial(0, { value: 0.5 }),
      trial(1, { state: 'running', value: null, curve: [[1, 0.7]] })
    ];
    const sorted = sortTrials(study(rows), rows, {
      column: 'value',
      descending: true
    });
    expect(sorted[0]?.number).toBe(1);
  });

  it('sorts by a parameter', () => {
    const rows = [trial(0), trial(1), trial(2)];
    const sorted = sortTrials(study(rows), rows, {
      column: 'params.lr',
      descending: false
    });
    expect(sorted.map(each => each.number)).toEqual([2, 1, 0]);
  });
});
