import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../../src/context/commandIds';
import { EolabContext } from '../../src/context/context';
import type { IEolab } from '../../src/context/tokens';
import { ChangeStudyForm } from '../../src/studies/commands/ChangeStudyForm';
import { StudyTab } from '../../src/studies/tab/StudyTab';
import { dedent, inWords } from '../../src/studies/text/about';
import { FakeServer, refusal } from '../fakeServer';
import { study, trial } from '../samples';

const ABOUT = {
  function: 'train',
  source: 'def train(data): ...',
  data: {
    kind: 'Split',
    source: {
      view: 'crops',
      version: 2,
      by: { kind: 'blocks', size: 600 },
      report: { parts: { train: { samples: 134 }, test: { samples: 70 } } }
    }
  },
  seed: 0,
  plan: { kind: 'search', sampler: { kind: 'tpe', startup: 10 } },
  stop: null,
  timeout: null,
  target: null,
  retries: 2,
  cluster: { name: 'local', kind: 'local' },
  lineage: { upstream: [], downstream: [{ kind: 'model', id: 'crops/1' }] }
};

function open(server: FakeServer): IEolab {
  server.answers.set(
    'studies/crops',
    study([
      trial(0),
      trial(1, { state: 'failed', value: null, error: 'ValueError: no' }),
      trial(2, { state: 'running', value: null, ended: null })
    ])
  );
  const eolab = server.eolab();
  render(
    <EolabContext.Provider value={eolab}>
      <StudyTab name="crops" />
    </EolabContext.Provider>
  );
  return eolab;
}

async function openPicture(name: string): Promise<void> {
  fireEvent.click(await screen.findByRole('tab', { name }));
}

describe('a study in the main area', () => {
  it('says how many trials a filter keeps, and why one cannot be read', async () => {
    open(new FakeServer());
    const filter = await screen.findByLabelText('Filter trials');
    fireEvent.change(filter, { target: { value: 'state == failed' } });
    screen.getByText('1 of 3 trials');
    fireEvent.change(filter, { target: { value: 'stat == failed' } });
    expect(screen.getByRole('alert').textContent).toMatch(/“stat”/);
    screen.getByText('3 trials');
    fireEvent.click(screen.getByText('Show all'));
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('goes from picture to picture with the arrow keys', async () => {
    open(new FakeServer());
    const first = await screen.findByRole('tab', { name: 'Curves' });
    fireEvent.keyDown(first, { key: 'ArrowLeft' });
    const last = screen.getByRole('tab', { name: 'About' });
    expect(last.getAttribute('aria-selected')).toBe('true');
    expect(document.activeElement).toBe(last);
  });

  it('tells in time that there are too few trials for the importance', async () => {
    const server = new FakeServer();
    server.answers.set(
      'studies/crops/importance',
      refusal(409, '1 trial has completed, 8 are needed', 'Wait.')
    );
    open(server);
    await openPicture('Importance');
    await screen.findByText('1 trial has completed, 8 are needed');
    server.answers.set('studies/crops/importance', {
      method: 'fanova',
      trials: 9,
      importance: [{ name: 'lr', value: 0.75 }],
      left_out: ['filters']
    });
    server.emit('studies/crops');
    await screen.findByText('75 %', {}, { timeout: 9_000 });
    screen.getByText(/Nothing can be said of: filters/);
  }, 15_000);

  it('shows what ran, on what data, and what was made of it', async () => {
    const server = new FakeServer();
    server.answers.set('studies/crops/about', ABOUT);
    server.answers.set('studies/crops/notes', { text: '', modified: null });
    open(server);
    await openPicture('About');
    await screen.findByText('view crops, version 2');
    screen.getByText('train 134, test 70');
    screen.getByText('TPE, the first 10 at random');
    screen.getByText('def train(data): ...');
    screen.getByText('made crops/1');
  });

  it('never overwrites notes that somebody else wrote meanwhile', async () => {
    const server = new FakeServer();
    let notes = { text: 'old', modified: 1 };
    server.answers.set('studies/crops/about', ABOUT);
    server.answers.set('studies/crops/notes', async request => {
      if (request.method === 'PUT') {
        const body = (await request.json()) as typeof notes;
        if (body.modified !== notes.modified) {
          return refusal(409, 'somebody else has written', 'Read again.');
        }
        notes = { text: body.text, modified: notes.modified + 1 };
      }
      return notes;
    });
    open(server);
    await openPicture('About');
    const box = await screen.findByDisplayValue('old');
    fireEvent.change(box, { target: { value: 'mine' } });
    notes = { text: 'theirs', modified: 2 };
    fireEvent.click(screen.getByText('Save'));
    await screen.findByText(/somebody else has written/);
    expect(notes.text).toBe('theirs');
    fireEvent.click(screen.getByText('Put both together'));
    await waitFor(() =>
      expect(screen.getByRole('textbox', { name: 'Notes' })).toHaveProperty(
        'value',
        'theirs\n\nmine'
      )
    );
    fireEvent.click(screen.getByText('Save'));
    await waitFor(() => expect(notes.text).toBe('theirs\n\nmine'));
    await waitFor(() => expect(screen.queryByText('Save')).toBeNull());
  });

  it('gives the commands of its menu the study and what is wanted', async () => {
    const eolab = open(new FakeServer());
    const inserted = vi.fn();
    eolab.commands.addCommand(CommandIDs.insertCode, { execute: inserted });
    fireEvent.click(await screen.findByText('Insert code: best parameters'));
    expect(inserted).toHaveBeenCalledWith({ name: 'crops', what: 'best' });
  });
});

it('a function is shown without the indentation of where it stood', () => {
  expect(dedent('    def f():\n\n        pass')).toBe('def f():\n\n    pass');
  expect(dedent('')).toBe('');
});

it('a change of a study holds only what was changed', () => {
  const form = new ChangeStudyForm(
    study([], { state: 'completed', workers_alive: 0 }),
    nullTranslator.load('eolab')
  );
  expect(form.getValue()).toEqual({});
  const [trials] = form.node.querySelectorAll('input');
  trials!.value = '20';
  expect(form.getValue()).toEqual({ trials: 20 });
  trials!.value = '';
  expect(form.getValue()).toEqual({});
  form.dispose();
});

it('settings are told in words', () => {
  expect(inWords({ kind: 'tpe', startup: 10, group: null })).toBe(
    'tpe, startup 10'
  );
  expect(inWords([1, { name: 'a' }])).toBe('1, a');
  expect(inWords(null)).toBe('');
});
