import {
  RenderMimeRegistry,
  standardRendererFactories
} from '@jupyterlab/rendermime';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import {
  readOutput,
  VIEW_MIME,
  ViewRenderer
} from '../../src/app/ViewRenderer';
import { StudyView } from '../../src/studies/tab/StudyView';
import { FakeServer } from '../fakeServer';
import { STATUS, study, trial } from '../samples';

const rendermime = new RenderMimeRegistry({
  initialFactories: standardRendererFactories
});
const views = new Map([['study', (name: string) => <StudyView name={name} />]]);
const OUTPUT = { format: 1, view: 'study', name: 'crops', workspace: 'w1' };

let renderer: ViewRenderer | null = null;

async function show(server: FakeServer, output: object): Promise<void> {
  renderer = new ViewRenderer({ eolab: server.eolab(), views, rendermime });
  const model = rendermime.createModel({
    data: {
      [VIEW_MIME]: output as never,
      'text/html': '<b>saved</b><script>window.wrong = 1</script>'
    }
  });
  await renderer.renderModel(model);
  await act(async () => {
    Widget.attach(renderer as ViewRenderer, document.body);
    MessageLoop.flush();
    await Promise.resolve();
  });
}

function savedShown(): boolean {
  const saved = document.querySelector('.jp-RenderedHTMLCommon');
  return saved !== null && !saved.classList.contains('lm-mod-hidden');
}

function running(): FakeServer {
  const server = new FakeServer();
  server.answers.set('status', STATUS);
  server.answers.set(
    'studies/crops',
    study([
      trial(0),
      trial(1, { state: 'failed', value: null, error: 'ValueError: no' }),
      trial(2, { state: 'running', value: null, ended: null })
    ])
  );
  return server;
}

afterEach(() => {
  act(() => renderer?.dispose());
  renderer = null;
});

describe('a study under a cell', () => {
  it('is drawn from the workspace and follows it, with no kernel in sight', async () => {
    const server = running();
    await show(server, OUTPUT);
    await screen.findByText('2 of 10');
    screen.getByText('Trial 1: ValueError: no');
    expect(savedShown()).toBe(false);
    server.answers.set(
      'studies/crops',
      study([trial(0), trial(1), trial(2)], { state: 'completed', ended: 1100 })
    );
    server.emit('studies/crops');
    await screen.findByText('3 of 10');
  });

  it('stays as it was while the server is away, and comes back', async () => {
    const server = running();
    await show(server, OUTPUT);
    await screen.findByText('2 of 10');
    server.connected = false;
    server.emit('studies/crops');
    await screen.findByText(/Not refreshed/);
    screen.getByText('2 of 10');
    server.connected = true;
    server.emit('studies/crops');
    await waitFor(() => expect(screen.queryByText(/Not refreshed/)).toBeNull());
  });

  it('of another workspace says so and shows what was saved, made harmless', async () => {
    await show(running(), { ...OUTPUT, workspace: 'w2' });
    await screen.findByText(/another workspace/);
    expect(savedShown()).toBe(true);
    expect(document.querySelector('script')).toBeNull();
  });

  it('without the server half says so and shows what was saved', async () => {
    await show(new FakeServer(), OUTPUT);
    await screen.findByText(/server half of eolab is not running/);
    expect(savedShown()).toBe(true);
  });

  it('of a newer eolab, or of a view that is not known, shows what was saved', async () => {
    await show(running(), { ...OUTPUT, format: 2 });
    await screen.findByText(/newer eolab/);
    expect(savedShown()).toBe(true);
    act(() => renderer?.dispose());
    await show(running(), { ...OUTPUT, view: 'hologram' });
    await screen.findByText(/does not know this view/);
    expect(savedShown()).toBe(true);
  });

  it('sorts by a click on a column', async () => {
    await show(running(), OUTPUT);
    const head = await screen.findByRole('button', { name: 'Time' });
    fireEvent.click(head);
    expect(
      screen.getByRole('columnheader', { name: /Time/ }).ariaSort ??
        head.parentElement?.getAttribute('aria-sort')
    ).toBe('ascending');
  });
});

it('an output that nobody wrote is not taken for one', () => {
  expect(readOutput('text')).toBeNull();
  expect(readOutput({ format: 1, view: 'study' })).toBeNull();
  expect(readOutput(OUTPUT)).toEqual(OUTPUT);
});
