import { Notification } from '@jupyterlab/apputils';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CatalogPanel } from '../../src/catalog/CatalogPanel';
import { findQuery, NO_WORDS } from '../../src/catalog/find/find';
import { areaOfBox, EMPTY } from '../../src/catalog/model/query';
import { CommandIDs } from '../../src/context/commandIds';
import { EolabContext } from '../../src/context/context';
import { FakeServer, refusal } from '../fakeServer';

const SOURCE = { kind: 'api', description: '', simulated: false, own: true };
const ENTRY = {
  name: 'mine',
  url: 'https://a.test',
  kind: 'api',
  description: '',
  login: { token: 'keyring:eolab/me', s3: { profile: 'me' } },
  secrets: ['keyring:eolab/me']
};

function make(): {
  server: FakeServer;
  sources: Set<string>;
  sent: unknown[];
} {
  const server = new FakeServer();
  const sources = new Set(['given', 'mine']);
  const sent: unknown[] = [];
  const all = (): object => ({
    catalogs: [...sources].map(name => ({
      ...SOURCE,
      name,
      url: `https://${name}.test`,
      own: name !== 'given'
    }))
  });
  server.answers.set('catalogs', async request => {
    if (request.method === 'POST') {
      sent.push(await request.json());
      sources.add('mine');
    }
    return all();
  });
  server.answers.set('catalogs/mine', async request => {
    if (request.method === 'DELETE') {
      sources.delete('mine');
      const { login, secrets, ...was } = ENTRY;
      return { ...all(), was: { ...was, ...login }, secrets, left: [] };
    }
    if (request.method === 'PUT') {
      sent.push(await request.json());
      return all();
    }
    return ENTRY;
  });
  server.answers.set('saved', { search: [], area: [] });
  server.answers.set('catalogs/mine/search', {
    items: [],
    matched: 0,
    histogram: { period: 'day', bins: [], whole: true },
    message: '',
    skipped: []
  });
  return { server, sources, sent };
}

function show(server: FakeServer): ReturnType<FakeServer['eolab']> {
  const eolab = server.eolab();
  render(
    <EolabContext.Provider value={eolab}>
      <CatalogPanel />
    </EolabContext.Provider>
  );
  return eolab;
}

beforeEach(() => {
  document.body.innerHTML = '';
});

describe('a catalogue that somebody added', () => {
  it('is removed after a question, and had back', async () => {
    const { server, sources, sent } = make();
    const emit = vi.spyOn(Notification, 'emit');
    const eolab = show(server);
    await screen.findByText('mine');
    expect(screen.queryByLabelText('Remove given')).toBeNull();
    eolab.catalog.search.start({ ...EMPTY, catalog: 'mine' });
    await waitFor(() =>
      expect(eolab.catalog.search.state.found).not.toBeNull()
    );
    fireEvent.click(screen.getByLabelText('Remove mine'));
    const box = await waitFor(() => {
      const found = document.querySelector<HTMLInputElement>(
        '.jp-Dialog input[type=checkbox]'
      );
      expect(found).not.toBeNull();
      return found;
    });
    expect(document.querySelector('.jp-Dialog')?.textContent).toContain(
      'eolab/me'
    );
    expect(box?.checked).toBe(true);
    fireEvent.click(
      document.querySelector('.jp-Dialog .jp-mod-warn') as HTMLElement
    );
    await waitFor(() => expect(screen.queryByText('mine')).toBeNull());
    expect(server.requests).toContain('DELETE catalogs/mine?secrets=1');
    // What was searched is gone from the tab too.
    expect(eolab.catalog.search.state.query.catalog).toBe('');
    expect(eolab.catalog.search.state.found).toBeNull();
    await waitFor(() => expect(emit).toHaveBeenCalled());
    const [said, , options] = emit.mock.calls[0] ?? [];
    expect(said).toContain('Deleted from the key store: eolab/me.');
    options?.actions?.[0]?.callback(new MouseEvent('click'));
    await screen.findByText('mine');
    expect(sources).toContain('mine');
    expect(sent[0]).toMatchObject({ name: 'mine', token: 'keyring:eolab/me' });
  });

  it('stays when the question is answered with no', async () => {
    const { server } = make();
    show(server);
    fireEvent.click(await screen.findByLabelText('Remove mine'));
    const no = await waitFor(() => {
      const found = document.querySelector<HTMLElement>(
        '.jp-Dialog .jp-mod-reject'
      );
      expect(found).not.toBeNull();
      return found;
    });
    fireEvent.click(no as HTMLElement);
    await waitFor(() =>
      expect(document.querySelector('.jp-Dialog')).toBeNull()
    );
    expect(server.requests.some(line => line.startsWith('DELETE'))).toBe(false);
  });

  it('gets another address and keeps a login that has no form', async () => {
    const { server, sent } = make();
    show(server);
    fireEvent.click(await screen.findByLabelText('Change mine'));
    const address = await screen.findByLabelText<HTMLInputElement>('Address');
    expect(address.value).toBe('https://a.test');
    expect(screen.getByLabelText<HTMLSelectElement>('Login').value).toBe(
      'kept'
    );
    fireEvent.change(address, { target: { value: 'https://b.test' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(screen.queryByLabelText('Address')).toBeNull());
    expect(sent[0]).toEqual({
      url: 'https://b.test',
      kind: 'api',
      description: '',
      ...ENTRY.login
    });
    expect(document.activeElement?.getAttribute('aria-label')).toBe(
      'Change mine'
    );
  });

  it('that is refused says why and stays open', async () => {
    const { server } = make();
    show(server);
    fireEvent.click(await screen.findByLabelText('Change mine'));
    await screen.findByLabelText('Address');
    server.answers.set(
      'catalogs/mine',
      refusal(409, 'eolab.toml cannot be written', 'Check its permissions.')
    );
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    await screen.findByText('Check its permissions.');
    fireEvent.keyDown(screen.getByLabelText('Address'), { key: 'Escape' });
    expect(screen.queryByLabelText('Address')).toBeNull();
  });
});

describe('the box over everything', () => {
  const found = {
    collection: [
      {
        id: 'mine/s2',
        title: 'Sentinel-2',
        detail: { catalog: 'mine', collection: 's2' },
        start: 1.6e9,
        end: null
      }
    ],
    item: [
      {
        id: 'mine/s2/one',
        title: 'one',
        detail: { catalog: 'mine', collection: 's2', item: 'one' },
        start: 1.6e9,
        end: 1.6e9
      },
      {
        id: 'gone/s2/two',
        title: 'two',
        detail: { catalog: 'gone', collection: 's2', item: 'two' },
        start: null,
        end: null
      }
    ],
    study: [
      {
        id: 'crops',
        title: 'crops',
        detail: { study: 'crops' },
        start: null,
        end: null
      }
    ]
  };

  it('shows results by kind and opens them where they have a place', async () => {
    const { server } = make();
    server.answers.set('search', {
      results: found,
      unread: { torn: 'it is no JSON' }
    });
    const eolab = show(server);
    const opened = vi.fn();
    eolab.commands.addCommand(CommandIDs.searchScenes, { execute: opened });
    eolab.commands.addCommand(CommandIDs.openStudy, { execute: opened });
    const box = await screen.findByLabelText('Find in the workspace');
    fireEvent.change(box, { target: { value: 'sen' } });
    fireEvent.change(box, { target: { value: 'sentinel' } });
    fireEvent.click(await screen.findByText('Sentinel-2'));
    expect(opened.mock.calls[0]?.[0]).toEqual({
      catalog: 'mine',
      collection: 's2'
    });
    expect(screen.getByText('“torn” could not be read:')).toBeTruthy();
    // Only what was typed last is asked for.
    const asked = server.requests.filter(line => line.includes('GET search'));
    expect(asked).toEqual(['GET search?text=sentinel&limit=10']);
    expect(screen.getByText('mine · 2020-09-13 –')).toBeTruthy();
    fireEvent.click(screen.getByText('one'));
    expect(opened.mock.calls[1]?.[0]).toMatchObject({
      item: 's2/one',
      query: { start: '2020-09-13', filters: { id: { values: ['one'] } } }
    });
    fireEvent.click(screen.getByText('crops'));
    expect(opened.mock.calls[2]?.[0]).toEqual({ name: 'crops' });
    // Of a catalogue that is not configured nothing can be opened.
    expect(screen.getByText('two').closest('button')).toBeNull();
  });

  it('limits place and time, and says when there is nothing', async () => {
    const { server } = make();
    server.answers.set('search', { results: {}, unread: {} });
    const eolab = show(server);
    eolab.catalog.search.change({ area: areaOfBox([14, 45, 15, 46]) });
    const box = await screen.findByLabelText('Find in the workspace');
    fireEvent.change(box, { target: { value: 'x' } });
    await screen.findByText('Nothing is called so.');
    fireEvent.click(screen.getByText('Where and when'));
    fireEvent.change(screen.getByLabelText('From'), {
      target: { value: '2021-05-01' }
    });
    fireEvent.click(screen.getByLabelText('In the area of the map'));
    await waitFor(() =>
      expect(server.requests.at(-1)).toBe(
        'GET search?text=x&datetime=2021-05-01%2F..&bbox=14%2C45%2C15%2C46&limit=10'
      )
    );
    expect(
      findQuery({ ...NO_WORDS, text: '  ', start: '2021-01-01' }, null, 5)
    ).toBeNull();
  });
});
