import { Notification } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import {
  SettingRegistry,
  type ISettingRegistry
} from '@jupyterlab/settingregistry';
import { afterEach, expect, it, vi } from 'vitest';

import schema from '../../schema/studies.json';
import { watchPlugin } from '../../src/studies/watchPlugin';
import { FakeServer } from '../fakeServer';
import { summary } from '../samples';

type ISettingRegistryConnector = SettingRegistry.IOptions['connector'];

/** Lab's settings with nothing behind them but this plugin's schema. */
function makeSettings(): ISettingRegistry {
  let raw = '{}';
  const connector: ISettingRegistryConnector = {
    fetch: id =>
      Promise.resolve({
        id,
        raw,
        schema: schema as unknown as ISettingRegistry.ISchema,
        data: { composite: {}, user: {} },
        version: '1'
      }),
    list: () => Promise.resolve({ ids: [], values: [] }),
    remove: () => Promise.resolve(),
    save: (_, text) => {
      raw = text;
      return Promise.resolve();
    }
  };
  return new SettingRegistry({ connector });
}

afterEach(() => Notification.dismiss());

it('one notification a study, none once the setting says so, without a reload', async () => {
  const server = new FakeServer();
  const eolab = server.eolab();
  const registry = makeSettings();
  const list = (...states: [string, 'running' | 'completed' | 'failed'][]) => {
    server.answers.set('studies', {
      studies: states.map(([name, state]) => summary({ name, state }))
    });
    server.emit('studies');
  };
  const told = (): string[] =>
    Notification.manager.notifications.map(each => each.message);
  list(['a', 'running'], ['b', 'running'], ['c', 'running']);
  const watch = await watchPlugin.activate(
    { commands: eolab.commands } as unknown as JupyterFrontEnd,
    eolab,
    registry
  );
  await vi.waitFor(() => expect(watch.active).toHaveLength(3));
  list(['a', 'completed'], ['b', 'running'], ['c', 'running']);
  await vi.waitFor(() => expect(told()).toHaveLength(1));
  expect(told()[0]).toContain('“a” completed');
  await registry.set('eolab:studies', 'notifyEnd', false);
  list(['a', 'completed'], ['b', 'completed'], ['c', 'running']);
  await vi.waitFor(() => expect(watch.active).toHaveLength(1));
  // Failures have a setting of their own.
  list(['a', 'completed'], ['b', 'completed'], ['c', 'failed']);
  await vi.waitFor(() => expect(told()).toHaveLength(2));
  expect(told().some(text => text.includes('“b”'))).toBe(false);
  watch.dispose();
});
