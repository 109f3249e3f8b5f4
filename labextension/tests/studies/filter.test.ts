// @vitest-environment node
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { axesOf, isInside } from '../../src/studies/charts/axes';
import { mergeSnapshot } from '../../src/studies/model/studyModel';
import { studyCode } from '../../src/studies/text/studyCode';
import { trialsToCsv } from '../../src/studies/trials/csv';
import {
  FilterError,
  parseFilter
} from '../../src/studies/trials/filterTrials';
import { readFilter } from '../../src/studies/trials/readFilter';
import { study, trial } from '../samples';

const trials = [
  trial(0, { value: 0.5, params: { lr: 1e-4, filters: 16 } }),
  trial(1, { value: 0.9, params: { lr: 1e-2, filters: 32 } }),
  trial(2, {
    state: 'failed',
    value: null,
    curve: [],
    params: { lr: 1e-1, filters: 32 },
    error: 'ValueError: exploded'
  })
];
const all = study(trials);

function kept(text: string): number[] {
  return trials.filter(parseFilter(text, all)).map(each => each.number);
}

describe('a filter', () => {
  it.each([
    ['', [0, 1, 2]],
    ['value > 0.8', [1]],
    ['val_macro_f1 <= .5', [0]],
    ['lr < 1e-3 or state == failed', [0, 2]],
    ['filters == 32 and not (state = failed)', [1]],
    ['value > 0.1 and lr > 1e-3 or n == 0', [0, 1]],
    ['error ~ explo', [2]],
    ["state != 'completed'", [2]],
    ['exploded', [2]],
    ['lr=0.1', [2]]
  ])('%s keeps %j', (text, numbers) => {
    expect(kept(text)).toEqual(numbers);
  });

  it('never keeps a trial that has no such value', () => {
    expect(kept('value < 100')).toEqual([0, 1]);
    expect(kept('value != 100')).toEqual([0, 1]);
  });

  it.each(['value >', 'value > 0.8 and', 'a b', '(value > 1', 'value ? 1'])(
    'that is not right (%s) is an error, not an empty table',
    text => {
      expect(() => parseFilter(text, all)).toThrow(FilterError);
    }
  );

  it('with a wrong name says which there are, and keeps everything meanwhile', () => {
    const read = readFilter('rl > 1', all, nullTranslator.load('eolab'));
    expect(read.fault).toMatch(/“rl”.*lr, filters, value/);
    expect(trials.filter(read.keeps)).toHaveLength(3);
  });

  it('is read, never run', () => {
    expect(() =>
      parseFilter('constructor.constructor("throw 1")() > 1', all)
    ).toThrow(FilterError);
  });
});

describe('the axes of the parameters', () => {
  const axes = axesOf(all, String);

  it('are logarithmic where the parameter is, and end with the metric', () => {
    expect(axes.map(axis => axis.name)).toEqual([
      'lr',
      'filters',
      'val_macro_f1'
    ]);
    // 1e-4, 1e-2 and 1e-1: two thirds of the way, by the logarithm.
    expect(trials.map(axes[0]!.place).map(at => at?.toFixed(2))).toEqual([
      '0.00',
      '0.67',
      '1.00'
    ]);
    expect(trials.map(axes[1]!.place)).toEqual([0, 1, 1]);
    expect(axes[2]!.place(trials[2]!)).toBeNull();
  });

  it('keep what crosses all marked parts', () => {
    const inside = trials.filter(each =>
      isInside(each, axes, { filters: [0.9, 1], val_macro_f1: [0, 1] })
    );
    expect(inside.map(each => each.number)).toEqual([1]);
  });

  it('stand in the middle of nothing without a trial', () => {
    expect(axesOf(study([]), String)[0]!.ticks).toEqual([]);
  });
});

describe('what changed', () => {
  it('is put into what is known; the rest stays the same object', () => {
    const answer = {
      ...study([trial(1, { value: 0.95 }), trial(3)], { seq: 9 }),
      partial: true
    };
    const merged = mergeSnapshot(all, answer);
    expect(merged.trials.map(each => each.number)).toEqual([0, 1, 2, 3]);
    expect(merged.trials[0]).toBe(all.trials[0]);
    expect(merged.trials[1]!.value).toBe(0.95);
    expect(merged).not.toHaveProperty('partial');
  });

  it('replaces everything where the server sends everything', () => {
    const answer = study([trial(7)], { seq: 1, created: 5 });
    expect(mergeSnapshot(all, { ...answer, partial: false })).toEqual(answer);
  });

  it('goes to the end of a curve where only its new points are sent', () => {
    const { curve, ...rest } = trial(1, { state: 'running', value: null });
    const answer = {
      ...study([], { seq: 9 }),
      trials: [{ ...rest, tail: [[3, 0.5] as [number, number]] }],
      partial: true
    };
    const [, grown] = mergeSnapshot(all, answer).trials;
    expect(grown!.curve).toEqual([...curve, [3, 0.5]]);
    expect(grown!.state).toBe('running');
    // A run of days: the curve stays small, its first and last points stay.
    const tail = Array.from({ length: 1000 }, (_, n): [number, number] => [
      n + 3,
      0.5
    ]);
    const long = mergeSnapshot(all, {
      ...answer,
      trials: [{ ...rest, tail }]
    }).trials[1]!.curve;
    expect(long.length).toBeLessThan(600);
    expect(long[0]).toEqual(curve[0]);
    expect(long[long.length - 1]).toEqual([1002, 0.5]);
  });

  it('is nothing where nothing happened', () => {
    const answer = { ...study([], { seq: all.seq }), partial: true };
    expect(mergeSnapshot(all, answer)).toBe(all);
  });
});

it('a table leaves as CSV with full numbers, quoted where it must be, never as a formula', () => {
  const odd = trial(4, {
    value: 0.123456789,
    params: { lr: 1e-5, filters: '=1+1' },
    error: 'a "quote", and\na line'
  });
  const [head, row] = trialsToCsv(all, [odd]).split('\r\n');
  expect(head).toBe(
    'trial,state,val_macro_f1,params.lr,params.filters,last_step,started,ended,attempts,worker,error'
  );
  expect(row).toBe(
    `4,completed,0.123456789,0.00001,'=1+1,2,1970-01-01T00:16:44.000Z,1970-01-01T00:16:54.000Z,1,w0,"a ""quote"", and\na line"`
  );
});

it('code about a study survives any name', () => {
  expect(studyCode('a "b" \\', 'best')).toContain('ws.study("a \\"b\\" \\\\")');
});
