import { describe, expect, it } from 'vitest';

import { EVERYTHING, itemsQuery } from '../../src/catalog/model/itemsModel';
import { sparklinePath } from '../../src/charts/Sparkline';
import { describeColumn } from '../../src/features/model/describeColumn';
import { figuresOf, formatFigure } from '../../src/models/figures';
import { nullTranslator } from '@jupyterlab/translation';
import { FakeServer } from '../fakeServer';

const trans = nullTranslator.load('eolab');

describe('items', () => {
  it('are asked for with open ends written as STAC writes them', () => {
    expect(
      itemsQuery('s2', { start: '', end: '2021-06-01', maxCloud: 40 }, 50)
    ).toEqual({
      collection: 's2',
      datetime: '../2021-06-01',
      max_cloud: 40,
      limit: 50,
      offset: 0
    });
    expect(itemsQuery('s2', EVERYTHING, 50)).toMatchObject({
      datetime: null,
      max_cloud: null
    });
  });

  it('come page after page, and a new filter begins again', async () => {
    const server = new FakeServer();
    server.answers.set('catalogs/sample/items', request => {
      const limit = Number(new URL(request.url).searchParams.get('limit'));
      return {
        items: Array.from({ length: Math.min(limit, 70) }, (_, n) => ({
          id: String(n)
        })),
        matched: 70,
        skipped: []
      };
    });
    const { catalog } = server.eolab();
    const items = catalog.items('sample', 's2');
    await items.refresh();
    expect(items.hasMore).toBe(true);
    await items.more();
    expect(items.state.data?.items).toHaveLength(70);
    expect(items.hasMore).toBe(false);
    await items.setFilter({ ...EVERYTHING, maxCloud: 20 });
    expect(server.requests[2]).toContain('max_cloud=20&limit=50');
    expect(catalog.items('sample', 's2')).toBe(items);
    catalog.dispose();
  });
});

describe('pictures of items', () => {
  it('are fetched once, two at a time, and again after a failure', async () => {
    const server = new FakeServer();
    let running = 0;
    let most = 0;
    let fail = true;
    server.answers.set('catalogs/sample/thumbnail', async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setTimeout(resolve, 2));
      running -= 1;
      return fail ? new Response('', { status: 502 }) : new Response('png');
    });
    let made = 0;
    URL.createObjectURL = () => `blob:${made++}`;
    URL.revokeObjectURL = () => undefined;
    const { thumbnails } = server.eolab().catalog;
    await expect(thumbnails.get('sample', 's2', 'a')).rejects.toThrow();
    fail = false;
    const ids = ['a', 'b', 'c', 'd', 'a'];
    const urls = await Promise.all(
      ids.map(id => thumbnails.get('sample', 's2', id))
    );
    expect(urls[4]).toBe(urls[0]);
    expect(new Set(urls).size).toBe(4);
    expect(most).toBe(2);
    thumbnails.dispose();
  });
});

it('test figures are gathered with their intervals', () => {
  const figures = figuresOf({
    accuracy: 0.9,
    macro_f1: 0.8312,
    macro_f1_low: 0.802,
    macro_f1_high: 0.857,
    gap_low: 1,
    test_samples: 70,
    study_val_macro_f1: 0.9
  });
  expect(figures.map(figure => figure.name)).toEqual([
    'accuracy',
    'macro_f1',
    'gap_low'
  ]);
  expect(figures.map(formatFigure)[1]).toBe('0.831 (0.802 – 0.857)');
});

it('a column is told by its commonest values or by its range', () => {
  const column = {
    column: 'c',
    count: 5,
    nulls: 0,
    distinct: 2,
    mean: null,
    std: null,
    quantiles: null,
    histogram: null
  };
  expect(
    describeColumn(
      {
        ...column,
        min: null,
        max: null,
        top: [
          ['wheat', 3],
          ['maize', 2]
        ]
      },
      trans
    )
  ).toBe('wheat 3 · maize 2');
  expect(
    describeColumn(
      {
        ...column,
        min: '2021-03-24T00:00:00+00:00',
        max: '2021-09-05T10:20:31+00:00',
        top: null
      },
      trans
    )
  ).toBe('2021-03-24 to 2021-09-05T10:20');
  // Arrays have values, though no figures; only a column of gaps has none.
  const array = { ...column, min: null, max: null, top: null };
  expect(describeColumn(array, trans)).toBe('–');
  expect(describeColumn({ ...array, nulls: 5 }, trans)).toBe('no values');
});

it('a sparkline holds each value until the next, and is nothing for one point', () => {
  expect(sparklinePath([[0, 1]], 64, 18)).toBeNull();
  expect(
    sparklinePath(
      [
        [0, 0],
        [10, null],
        [10, 1]
      ],
      64,
      18
    )
  ).toBe('M2.0 16.0H62.0V2.0');
});
