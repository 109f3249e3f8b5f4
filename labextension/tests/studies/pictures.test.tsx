import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import { CommandRegistry } from '@lumino/commands';
import type { JSX } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../../src/context/commandIds';
import { EolabContext } from '../../src/context/context';
import type { IEolab } from '../../src/context/tokens';
import { decades, steps } from '../../src/studies/charts/axes';
import { timeTicks, timeWords } from '../../src/studies/charts/timeAxis';
import { trialTip } from '../../src/studies/charts/trialTip';
import { samplerWords, stopWords } from '../../src/studies/text/planWords';
import { TrialActions } from '../../src/studies/trials/TrialActions';
import { columnPlan, trialColumns } from '../../src/studies/trials/trialRows';
import { study, trial } from '../samples';

const trans = nullTranslator.load('eolab');

describe('the numbers at an axis', () => {
  it('are round and lie inside the range', () => {
    expect(steps(0.13, 0.87)).toEqual([0.2, 0.4, 0.6, 0.8]);
    expect(steps(8, 250)).toEqual([100, 200]);
    expect(steps(-1, 1)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(steps(3, 3)).toEqual([3]);
  });

  it('are powers of ten where the scale is logarithmic', () => {
    expect(decades(2.5e-5, 0.0752).map(each => each.toExponential(0))).toEqual([
      '1e-4',
      '1e-3',
      '1e-2'
    ]);
    // Too few powers lie between: the ends tell more.
    expect(decades(0.02, 0.05)).toEqual([0.02, 0.05]);
    expect(decades(5, 5)).toEqual([5]);
  });

  it('are moments that people read off a clock', () => {
    expect(timeTicks(62, 5)).toEqual([0, 15, 30, 45, 60]);
    expect(timeWords([0, 15, 30, 45, 60])).toEqual([
      '0',
      '15 s',
      '30 s',
      '45 s',
      '1 min'
    ]);
    expect(timeWords([0, 3600, 7200])).toEqual(['0', '1 h', '2 h']);
    expect(timeWords([0, 0.5, 1])).toEqual(['0', '0.5 s', '1.0 s']);
    expect(timeTicks(5400, 4)).toEqual([0, 1800, 3600, 5400]);
  });
});

describe('a plan in words', () => {
  it('says what is suggested how', () => {
    expect(samplerWords({ kind: 'tpe', startup: 10 }, trans)).toBe(
      'TPE, the first 10 at random'
    );
    expect(samplerWords({ kind: 'random' }, trans)).toBe('random');
    expect(samplerWords({ kind: 'own', class: 'mine.Best' }, trans)).toBe(
      'own, class mine.Best'
    );
  });

  it('says when a trial is stopped', () => {
    const median = { kind: 'percentile', percentile: 50, startup: 5 };
    expect(stopWords(null, trans)).toBe('none');
    expect(stopWords({ ...median, warmup: 0 }, trans)).toBe(
      'worse than the median, from 5 completed trials on'
    );
    expect(
      stopWords([{ ...median, percentile: 25, warmup: 3 }, null], trans)
    ).toBe(
      'worse than percentile 25, from 5 completed trials on, not before step 3; none'
    );
    expect(stopWords({ kind: 'patient', patience: 4 }, trans)).toBe(
      'patient, patience 4'
    );
  });
});

it('what is said beside the pointer names the trial, its value and parameters', () => {
  const told = trialTip(study([]), trial(4), trans);
  expect(told.title).toBe('Trial 4, completed');
  expect(told.lines).toEqual([
    ['val_macro_f1', '0.4'],
    ['lr', '0.02'],
    ['filters', '16']
  ]);
  // A figure of the place itself replaces the trial's value.
  expect(
    trialTip(study([]), trial(4), trans, [['val_macro_f1', '0.1']]).lines[0]
  ).toEqual(['val_macro_f1', '0.1']);
  const many = Object.fromEntries(
    Array.from({ length: 11 }, (_, k) => [`p${k}`, k])
  );
  expect(trialTip(study([]), trial(0, { params: many }), trans).foot).toBe(
    'and 3 more'
  );
});

describe('the columns of the trials', () => {
  it('have the numbers to the right and the words to the left', () => {
    const words = study([trial(0)], {
      parameters: [
        {
          name: 'optimizer',
          kind: 'choice',
          low: null,
          high: null,
          log: null,
          choices: ['adam', 'sgd'],
          step: null,
          when: null
        },
        ...study([]).parameters
      ]
    });
    const numeric = Object.fromEntries(
      trialColumns(columnPlan(words)).map(each => [each.id, each.numeric])
    );
    expect(numeric).toMatchObject({
      'params.optimizer': false,
      'params.lr': true,
      'params.filters': true,
      worker: false
    });
  });

  it('say why, as soon as a trial has failed', () => {
    const ids = (trials: Parameters<typeof study>[0]): string[] =>
      trialColumns(columnPlan(study(trials))).map(each => each.id);
    expect(ids([trial(0)])).not.toContain('error');
    expect(ids([trial(0), trial(1, { state: 'failed' })])).toContain('error');
  });
});

it('what cannot be done with a trial says why, and does nothing', () => {
  const commands = new CommandRegistry();
  const stop = vi.fn();
  const retry = vi.fn();
  commands.addCommand(CommandIDs.stopTrial, { execute: stop });
  commands.addCommand(CommandIDs.retryTrial, { execute: retry });
  const draw = (state: 'running' | 'completed' | 'failed'): JSX.Element => (
    <EolabContext.Provider value={{ commands, trans } as unknown as IEolab}>
      <TrialActions study={study([])} trial={trial(3, { state })} />
    </EolabContext.Provider>
  );
  const { rerender } = render(draw('completed'));
  const [stopButton, retryButton] = screen.getAllByRole('button');
  fireEvent.click(stopButton!);
  fireEvent.click(retryButton!);
  expect(stop).not.toHaveBeenCalled();
  expect(retry).not.toHaveBeenCalled();
  expect(stopButton!.title).toContain('completed');
  expect(retryButton!.title).toContain('completed');
  rerender(draw('running'));
  fireEvent.click(stopButton!);
  expect(stop).toHaveBeenCalledWith({ name: 'crops', trial: 3 });
  expect(stopButton!.title).toBe('');
  rerender(draw('failed'));
  fireEvent.click(retryButton!);
  expect(retry).toHaveBeenCalledWith({ name: 'crops', trial: 3 });
});
