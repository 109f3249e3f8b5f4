import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { JSX } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../../src/context/commandIds';
import { EolabContext } from '../../src/context/context';
import { ViewRow } from '../../src/features/views/ViewRow';
import type { IFeatureView, IShown } from '../../src/server/contract';
import { ArchiveAndBin } from '../../src/entities/ArchiveAndBin';
import { entitiesPlugin } from '../../src/entities/plugin';
import { EntityButton } from '../../src/entities/EntityButton';
import { FakeServer } from '../fakeServer';

const VIEW = {
  name: 'crops',
  version: 1,
  description: '',
  labels: ['crop'],
  features: 1,
  groups: [],
  created: 0,
  label_group: 'fields/1',
  task: 'classification',
  columns: [],
  steps: null,
  datasets: [1, 2].map(version => ({
    version,
    description: '',
    created: null,
    fault: null
  }))
} satisfies IFeatureView;

function shown(id: string, title: string, archived: boolean): IShown {
  return { kind: 'dataset', id, title, archived };
}

function draw(element: JSX.Element, entities: IShown[]): void {
  const server = new FakeServer();
  server.answers.set('entities', { shown: entities, bin: [], days: 30 });
  const eolab = server.eolab();
  const app = { commands: eolab.commands } as unknown as JupyterFrontEnd;
  void entitiesPlugin.activate(app, eolab);
  render(
    <EolabContext.Provider value={eolab}>{element}</EolabContext.Provider>
  );
}

describe('what was put away', () => {
  it('is left out of the datasets of a view, whose titles are shown', async () => {
    draw(<ViewRow view={VIEW} />, [
      shown('crops/1#1', 'First split', false),
      shown('crops/1#2', '', true)
    ]);
    fireEvent.click(screen.getByRole('button', { name: /^crops/ }));
    await screen.findByText('First split');
    expect(screen.queryByText('Dataset 2')).toBeNull();
  });

  it('is asked for by its id where it is restored', async () => {
    const restore = vi
      .spyOn(CommandRegistry.prototype, 'execute')
      .mockResolvedValue(undefined);
    draw(<ArchiveAndBin kinds={['dataset']} />, [
      shown('crops/1#2', 'Second split', true)
    ]);
    fireEvent.click(await screen.findByText('Archived (1)'));
    fireEvent.click(screen.getByRole('button', { name: /^Restore Second/ }));
    expect(restore).toHaveBeenCalledWith(CommandIDs.restoreEntity, {
      kind: 'dataset',
      id: 'crops/1#2',
      entry: ''
    });
    restore.mockRestore();
  });
});

it('the keyboard is where it was once the menu of an entity is closed', async () => {
  draw(<EntityButton kind="study" id="forest" />, []);
  const button = screen.getByRole('button', { name: 'More for forest' });
  button.focus();
  fireEvent.click(button);
  const menu = document.querySelector('.eolab-EntityMenu')!;
  expect(menu.textContent).toMatch(/Rename….*Archive.*Delete…/);
  await waitFor(() => expect(document.activeElement).toBe(menu));
  fireEvent.keyDown(menu, { keyCode: 27 });
  expect(document.querySelector('.eolab-EntityMenu')).toBeNull();
  expect(document.activeElement).toBe(button);
});
