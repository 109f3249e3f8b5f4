import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Event } from '@jupyterlab/services';

import { WorkspaceChanges } from '../../src/server/changes';
import { Resource } from '../../src/server/resource';
import { FakeServer } from '../fakeServer';

let server: FakeServer;
let changes: WorkspaceChanges;
let fetches: number;
let fails: boolean;
let resource: Resource<{ count: number }>;

function setHidden(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', {
    configurable: true,
    value: hidden
  });
  document.dispatchEvent(new window.Event('visibilitychange'));
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  changes = new WorkspaceChanges(server.events as unknown as Event.IManager);
  fetches = 0;
  fails = false;
  resource = new Resource({
    fetch: async () => {
      fetches += 1;
      await new Promise(resolve => setTimeout(resolve, 10));
      if (fails) {
        throw new Error('no');
      }
      return { count: fetches };
    },
    topics: ['studies'],
    changes,
    interval: () => 60_000,
    gap: () => 300
  });
});

afterEach(() => {
  resource.dispose();
  setHidden(false);
});

describe('a resource', () => {
  it('asks for nothing until somebody looks', async () => {
    server.emit('studies');
    await vi.advanceTimersByTimeAsync(100_000);
    expect(fetches).toBe(0);
    resource.watch();
    await vi.advanceTimersByTimeAsync(20);
    expect(resource.state.data).toEqual({ count: 1 });
  });

  it('fetches again when one of its topics changed, and only then', async () => {
    resource.watch();
    await vi.advanceTimersByTimeAsync(1000);
    server.emit('features');
    await vi.advanceTimersByTimeAsync(1000);
    expect(fetches).toBe(1);
    server.emit('studies', 'features');
    await vi.advanceTimersByTimeAsync(1000);
    expect(fetches).toBe(2);
  });

  it('makes two fetches of a burst of a hundred events', async () => {
    resource.watch();
    await vi.advanceTimersByTimeAsync(1000);
    for (let event = 0; event < 100; event += 1) {
      server.emit('studies');
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(fetches).toBe(3);
  });

  it('never has two requests under way, and sees what came in between', async () => {
    resource.watch();
    const all = [resource.refresh(), resource.refresh(), resource.refresh()];
    await vi.advanceTimersByTimeAsync(100);
    await Promise.all(all);
    expect(fetches).toBe(2);
  });

  it('stands by while the page is hidden and catches up when it is shown', async () => {
    resource.watch();
    await vi.advanceTimersByTimeAsync(1000);
    setHidden(true);
    server.emit('studies');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fetches).toBe(1);
    setHidden(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(fetches).toBe(2);
  });

  it('polls as a safety net, and not after the last one looked away', async () => {
    const watch = resource.watch();
    await vi.advanceTimersByTimeAsync(130_000);
    expect(fetches).toBe(3);
    watch.dispose();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fetches).toBe(3);
  });

  it('keeps the last good data beside an error, and backs off', async () => {
    resource.watch();
    await vi.advanceTimersByTimeAsync(1000);
    fails = true;
    const asked = resource.refresh();
    await vi.advanceTimersByTimeAsync(20);
    await asked;
    expect(resource.state.data).toEqual({ count: 1 });
    expect(resource.state.error?.message).toBe('no');
    const before = fetches;
    await vi.advanceTimersByTimeAsync(119_000);
    expect(fetches).toBe(before);
    fails = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(resource.state.error).toBeNull();
  });

  it('does not draw again for the same document', async () => {
    const same = { count: 0 };
    const steady = new Resource({
      fetch: () => Promise.resolve(same),
      topics: [],
      changes: null,
      interval: () => 1000
    });
    await steady.refresh();
    const drawn = vi.fn();
    steady.changed.connect(drawn);
    await steady.refresh();
    expect(drawn).not.toHaveBeenCalled();
    steady.dispose();
  });
});
