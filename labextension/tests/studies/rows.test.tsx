import { act, render, screen } from '@testing-library/react';
import type { JSX } from 'react';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { EolabContext } from '../../src/context/context';
import type { ITrial } from '../../src/server/contract';
import { useStudyClock } from '../../src/studies/model/studyClock';
import { TrialsTable } from '../../src/studies/trials/TrialsTable';
import { assignSlots } from '../../src/ui/grid/useSlots';
import { FakeServer } from '../fakeServer';
import { study, trial } from '../samples';

const NOBODY: ReadonlySet<number> = new Set();
const eolab = new FakeServer().eolab();

interface ITableProps {
  trials: ITrial[];
  /** When the snapshot came, in seconds. */
  received?: number;
}

function Table({ trials, received = 0 }: ITableProps): JSX.Element {
  const snapshot = study(trials, { now: 1020 });
  const clock = useStudyClock(snapshot, received);
  return (
    <EolabContext.Provider value={eolab}>
      <TrialsTable
        study={snapshot}
        clock={clock}
        chosen={NOBODY}
        onChoose={() => undefined}
        maxHeight={200}
      />
    </EolabContext.Provider>
  );
}

/** The row of each trial in sight. */
function rows(): Map<string, Element> {
  const found = screen
    .getAllByRole('row')
    .filter(row => row.hasAttribute('data-active'));
  return new Map(found.map(row => [row.children[0]?.textContent ?? '', row]));
}

/** What is written anew while something is done, without what only moves. */
async function written(
  action: () => void | Promise<void>
): Promise<MutationRecord[]> {
  const records: MutationRecord[] = [];
  const observer = new MutationObserver(found => records.push(...found));
  observer.observe(document.body, {
    subtree: true,
    characterData: true,
    childList: true
  });
  await act(async () => {
    await action();
  });
  records.push(...observer.takeRecords());
  observer.disconnect();
  const body = screen.getAllByRole('rowgroup')[1];
  return records.filter(record => record.target !== body);
}

// A page of jsdom has no sizes, and a table without a height shows no row.
const sizes = ['clientHeight', 'clientWidth'] as const;
const before = sizes.map(name =>
  Object.getOwnPropertyDescriptor(Element.prototype, name)
);

beforeAll(() => {
  for (const name of sizes) {
    Object.defineProperty(Element.prototype, name, {
      configurable: true,
      get: () => 200
    });
  }
});

afterAll(() => {
  sizes.forEach((name, place) => {
    Object.defineProperty(Element.prototype, name, before[place] ?? {});
  });
});

describe('the rows of the trials', () => {
  it('stay as they are when a new trial comes above them', async () => {
    const trials = [0, 1, 2, 3].map(n => trial(n));
    const { rerender } = render(<Table trials={trials} />);
    const old = rows();
    expect([...old.keys()]).toEqual(['3', '2', '1', '0']);
    const changed = await written(() =>
      rerender(<Table trials={[...trials, trial(4)]} />)
    );
    const now = rows();
    // The newest trial has the best value: the star goes from one row to the other by a style.
    expect([...now.keys()]).toEqual(['4', '3', '2', '1', '0']);
    old.forEach((row, n) => expect(now.get(n)).toBe(row));
    expect(now.get('3')?.getAttribute('aria-rowindex')).toBe('3');
    const elsewhere = changed.filter(
      record => !now.get('4')?.contains(record.target)
    );
    expect(elsewhere).toEqual([]);
  });

  it('change with the time only where a trial runs, and there only the time', async () => {
    vi.useFakeTimers({ now: 2_000_000 });
    try {
      const running = trial(1, { state: 'running', value: null, ended: null });
      render(<Table trials={[trial(0), running]} received={2_000} />);
      const row = rows().get('1');
      const time = [...(row?.children ?? [])].find(
        cell => cell.textContent === '19.0 s' || cell.textContent === '19 s'
      );
      expect(time).toBeTruthy();
      const changed = await written(async () => {
        await vi.advanceTimersByTimeAsync(3_000);
      });
      expect(changed.length).toBeGreaterThan(0);
      for (const record of changed) {
        expect(time?.contains(record.target)).toBe(true);
      }
      expect(time?.textContent).toMatch(/^22/);
    } finally {
      vi.useRealTimers();
    }
  });
});

it('a trial keeps its place while it is in sight, and those that come take what is free', () => {
  const first = assignSlots(new Map(), [9, 8, 7, 6]);
  expect([...first]).toEqual([
    [9, 0],
    [8, 1],
    [7, 2],
    [6, 3]
  ]);
  const next = assignSlots(first, [11, 10, 9, 8]);
  expect(next.get(9)).toBe(0);
  expect(next.get(8)).toBe(1);
  expect(new Set([next.get(11), next.get(10)])).toEqual(new Set([2, 3]));
  expect(assignSlots(next, []).size).toBe(0);
});
