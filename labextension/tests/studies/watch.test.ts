import { describe, expect, it, vi } from 'vitest';

import { StudiesWatch } from '../../src/studies/model/studiesWatch';
import { FakeServer } from '../fakeServer';
import { summary } from '../samples';

describe('who follows all studies', () => {
  it('hears once of each that ended while it looked, and of none that had ended before', async () => {
    const server = new FakeServer();
    const { studies } = server.eolab();
    server.answers.set('studies', {
      studies: [
        summary({ name: 'old', state: 'completed' }),
        summary({ name: 'a' }),
        summary({ name: 'b', state: 'paused' })
      ]
    });
    const watch = new StudiesWatch(studies);
    const ended: string[] = [];
    watch.ended.connect((_, study) => ended.push(study.name));
    await vi.waitFor(() => expect(watch.active).toHaveLength(2));
    server.answers.set('studies', {
      studies: [
        summary({ name: 'old', state: 'completed' }),
        summary({ name: 'a', state: 'failed' }),
        summary({ name: 'b', state: 'running' })
      ]
    });
    server.emit('studies', 'studies/a');
    await vi.waitFor(() => expect(ended).toEqual(['a']));
    await studies.list.refresh();
    expect(ended).toEqual(['a']);
    expect(watch.active.map(study => study.name)).toEqual(['b']);
    watch.dispose();
  });
});
