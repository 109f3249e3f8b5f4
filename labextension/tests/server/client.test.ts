import { describe, expect, it } from 'vitest';

import type { ApiError } from '../../src/server/apiError';
import { Client } from '../../src/server/client';
import { FakeServer, refusal } from '../fakeServer';

async function failureOf(asked: Promise<unknown>): Promise<ApiError> {
  return asked.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as ApiError
  );
}

describe('the client', () => {
  it('asks below the base_url and leaves absent values out of the query', async () => {
    const server = new FakeServer();
    server.answers.set('catalogs/a%20b/items', { items: [] });
    await new Client(server.settings).get('catalogs/a%20b/items', {
      collection: 's2 l2a',
      datetime: null,
      max_cloud: 0
    });
    expect(server.requests).toEqual([
      'GET catalogs/a%20b/items?collection=s2+l2a&max_cloud=0'
    ]);
  });

  it('tells our own error with its hint', async () => {
    const server = new FakeServer();
    server.answers.set('studies/x', refusal(404, "no study 'x'", 'Try crops.'));
    const error = await failureOf(new Client(server.settings).get('studies/x'));
    expect([error.kind, error.message, error.hint]).toEqual([
      'failed',
      "no study 'x'",
      'Try crops.'
    ]);
  });

  it('takes a 404 that is not ours for a missing server half', async () => {
    const error = await failureOf(
      new Client(new FakeServer().settings).get('status')
    );
    expect(error.kind).toBe('missing');
  });

  it('knows a refused login and a lost connection', async () => {
    const server = new FakeServer();
    server.answers.set('status', refusal(403, 'Forbidden', ''));
    const client = new Client(server.settings);
    expect((await failureOf(client.get('status'))).kind).toBe('refused');
    server.connected = false;
    expect((await failureOf(client.get('status'))).kind).toBe('offline');
  });
});
