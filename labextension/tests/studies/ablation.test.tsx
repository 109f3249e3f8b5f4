import { fireEvent, render, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { EolabContext } from '../../src/context/context';
import type {
  IAblation,
  IAblationRow,
  IEstimate
} from '../../src/server/contract';
import { Ablation } from '../../src/studies/ablation/Ablation';
import { StudyTab } from '../../src/studies/tab/StudyTab';
import { studyCode } from '../../src/studies/text/studyCode';
import { FakeServer } from '../fakeServer';
import { study, trial } from '../samples';

function estimate(value: number): IEstimate {
  return {
    value,
    low: value - 0.05,
    high: value + 0.05,
    p: 0.01,
    pairs: 3,
    level: 0.95
  };
}

function row(variant: string, drop: IEstimate | null): IAblationRow {
  return {
    variant,
    removed: [],
    runs: drop ? 3 : 0,
    mean: 0.7,
    std: null,
    drop,
    corrected: drop ? 0.02 : null,
    seconds: 1,
    cost: {},
    words: `${variant} in words.`
  };
}

const RESULT: IAblation = {
  metric: 'f1',
  level: 0.95,
  planned: 12,
  ended: 9,
  rows: [
    { ...row('baseline', null), words: null },
    row('without sar', estimate(0.16)),
    row('without slope', estimate(-0.01)),
    row('without optical', null)
  ],
  pairs: [],
  shapley: [],
  metrics: [],
  notes: ['3 of 12 runs have not ended with a value.']
};

const STUDY = study(
  [
    trial(0, { params: { variant: 'baseline', fold: 0, repeat: 0 } }),
    trial(1, { params: { variant: 'without sar', fold: 0, repeat: 0 } }),
    trial(2, { params: { variant: 'without sar', fold: 1, repeat: 0 } })
  ],
  { kind: 'ablation' }
);

function open(result: IAblation): FakeServer {
  const server = new FakeServer();
  server.answers.set('studies/crops', STUDY);
  server.answers.set('studies/crops/ablation', result);
  return server;
}

describe('an ablation', () => {
  it('shows the largest drop first, with its interval, and what has no figure yet', async () => {
    render(
      <EolabContext.Provider value={open(RESULT).eolab()}>
        <Ablation study={STUDY} variant={null} onVariant={vi.fn()} />
      </EolabContext.Provider>
    );
    const heads = (await screen.findAllByRole('rowheader')).map(
      head => head.textContent
    );
    expect(heads).toEqual(['without sar', 'without slope', 'without optical']);
    screen.getByText('+0.11 to +0.21');
    screen.getByText('\u22120.01');
    screen.getByText('without sar in words.');
    screen.getByText('3 of 12 runs have not ended with a value.');
  });

  it('shows what parts are worth over all subsets, and what variants cost', async () => {
    const rows = RESULT.rows.map(each => ({
      ...each,
      cost: { parameters: 1234 }
    }));
    const shapley = [
      { name: 'sar', ...estimate(0.2) },
      { name: 'slope', ...estimate(0.01) }
    ];
    render(
      <EolabContext.Provider value={open({ ...RESULT, rows, shapley }).eolab()}>
        <Ablation study={STUDY} variant={null} onVariant={vi.fn()} />
      </EolabContext.Provider>
    );
    const table = await screen.findByRole('table', { name: /Shapley values/ });
    expect(table.textContent).toContain('sar+0.2+0.15 to +0.25');
    const fills = [...table.querySelectorAll('.eolab-Ablation-fill')];
    expect(fills.map(fill => fill.getAttribute('data-claimed'))).toEqual([
      'true',
      'false'
    ]);
    expect(screen.getAllByText('1,234')).toHaveLength(3);
  });

  it('says what is missing while nothing can be compared', async () => {
    const rows = RESULT.rows.map(each => ({ ...each, drop: null }));
    render(
      <EolabContext.Provider value={open({ ...RESULT, rows }).eolab()}>
        <Ablation study={STUDY} variant={null} onVariant={vi.fn()} />
      </EolabContext.Provider>
    );
    await screen.findByText(/No difference is significant yet/);
    screen.getByText(/9 of 12 runs have ended/);
  });

  it('says once it has ended why nothing can be compared', async () => {
    const rows = RESULT.rows.map(each => ({ ...each, drop: null }));
    const notes = [
      '9 of 12 runs have not ended; 9 failed, the first with Err.'
    ];
    render(
      <EolabContext.Provider value={open({ ...RESULT, rows, notes }).eolab()}>
        <Ablation
          study={{ ...STUDY, state: 'completed' }}
          variant={null}
          onVariant={vi.fn()}
        />
      </EolabContext.Provider>
    );
    await screen.findByText('No difference is significant.');
    screen.getByText(/9 failed, the first with Err/);
  });

  it('opens in its tab with the effects; a bar shows its runs', async () => {
    render(
      <EolabContext.Provider value={open(RESULT).eolab()}>
        <StudyTab name="crops" />
      </EolabContext.Provider>
    );
    const bar = await screen.findByRole('button', { name: 'without sar' });
    expect(screen.queryByRole('tab', { name: 'Importance' })).toBeNull();
    screen.getByText('3 trials');
    fireEvent.click(bar);
    screen.getByText('2 of 3 trials');
    expect(bar.getAttribute('aria-pressed')).toBe('true');
    fireEvent.click(screen.getByText('Show all'));
    screen.getByText('3 trials');
  });

  it('gives code that reads its table', () => {
    expect(studyCode('crops', 'effects')).toContain(
      'ablation = ws.ablation("crops")\nablation.result().to_dataframe()'
    );
  });
});
