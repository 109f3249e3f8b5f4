import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { JSX } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { Section } from '../../src/app/Section';
import { SidebarHeader } from '../../src/app/SidebarHeader';
import { CatalogPanel } from '../../src/catalog/CatalogPanel';
import { CommandIDs } from '../../src/context/commandIds';
import { EolabContext } from '../../src/context/context';
import type { IEolab } from '../../src/context/tokens';
import { FeaturesPanel } from '../../src/features/FeaturesPanel';
import { ModelsPanel } from '../../src/models/ModelsPanel';
import { API_VERSION } from '../../src/server/contract';
import { StudiesPanel } from '../../src/studies/sidebar/StudiesPanel';
import { FakeServer, refusal } from '../fakeServer';
import { STATUS, summary } from '../samples';

function draw(eolab: IEolab, element: JSX.Element): void {
  render(
    <EolabContext.Provider value={eolab}>{element}</EolabContext.Provider>
  );
}

describe('the head of the panel', () => {
  it('names the workspace and says that it holds simulated data', async () => {
    const server = new FakeServer();
    server.answers.set('status', STATUS);
    draw(server.eolab(), <SidebarHeader />);
    await screen.findByText('farm');
    screen.getByText('simulated');
  });

  it.each([
    [{ ...STATUS, api: API_VERSION - 1, version: '0.0.9' }, /0\.0\.9.*older/],
    [{ ...STATUS, api: API_VERSION + 1, version: '2.0' }, /2\.0.*newer/]
  ])('says when the halves do not fit', async (status, said) => {
    const server = new FakeServer();
    server.answers.set('status', status);
    server.answers.set('models', { models: [] });
    const eolab = server.eolab();
    draw(
      eolab,
      <>
        <SidebarHeader />
        <Section>{() => <ModelsPanel />}</Section>
      </>
    );
    await screen.findByText(said);
    expect(server.requests).toEqual(['GET status']);
  });

  it('says once that the server half is missing, and finds it when it comes', async () => {
    const server = new FakeServer();
    draw(
      server.eolab(),
      <>
        <SidebarHeader />
        <Section>{() => <ModelsPanel />}</Section>
      </>
    );
    await screen.findByText(/server half of eolab is not running/);
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    server.answers.set('status', STATUS);
    server.answers.set('models', { models: [] });
    fireEvent.click(screen.getByText('Try again'));
    await screen.findByText('No model is registered yet.');
  });
});

describe('an empty section', () => {
  it.each([
    ['catalogs', { catalogs: [] }, <CatalogPanel />, /eolab sample/],
    ['features', { groups: [], views: [] }, <FeaturesPanel />, /insert/],
    ['studies', { studies: [] }, <StudiesPanel />, /%%tune/],
    ['models', { models: [] }, <ModelsPanel />, /register/]
  ])('%s says what to do next', async (path, answer, panel, code) => {
    const server = new FakeServer();
    server.answers.set(path, answer);
    draw(server.eolab(), panel);
    await waitFor(() =>
      expect(document.querySelector('pre')?.textContent).toMatch(code)
    );
  });
});

describe('the studies', () => {
  it('follow the events, and offer what can be done', async () => {
    const server = new FakeServer();
    server.answers.set('studies', { studies: [summary()] });
    const eolab = server.eolab();
    const paused = vi.fn();
    eolab.commands.addCommand(CommandIDs.pauseStudy, { execute: paused });
    draw(eolab, <StudiesPanel />);
    await screen.findByText('running');
    fireEvent.click(screen.getByRole('button', { name: 'Pause crops' }));
    expect(paused).toHaveBeenCalledWith({ name: 'crops' });
    server.answers.set('studies', {
      studies: [
        summary({ state: 'completed', ended: 1100, allowed: ['retry'] })
      ]
    });
    server.emit('studies', 'studies/crops');
    await screen.findByText('completed');
    expect(screen.queryByRole('button', { name: 'Pause crops' })).toBeNull();
  });

  it('keep what was last seen when the server goes, and say so', async () => {
    const server = new FakeServer();
    server.answers.set('studies', { studies: [summary()] });
    draw(server.eolab(), <StudiesPanel />);
    await screen.findByText('running');
    server.connected = false;
    server.emit('studies');
    await screen.findByText(/Not refreshed: .*cannot be reached/);
    screen.getByText('running');
  });
});

it('an error of the server half is told with its hint', async () => {
  const server = new FakeServer();
  server.answers.set(
    'features',
    refusal(502, 'the store is damaged', 'Restore it.')
  );
  draw(server.eolab(), <FeaturesPanel />);
  await screen.findByText('the store is damaged');
  screen.getByText('Restore it.');
});
