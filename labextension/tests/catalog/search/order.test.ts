import { expect, it } from 'vitest';

import {
  nextOrder,
  sortItems
} from '../../../src/catalog/search/results/sortItems';
import type { IFoundItem } from '../../../src/server/contract';

function item(id: string, cloud_cover: number | null): IFoundItem {
  return {
    id,
    cloud_cover,
    collection: 's2',
    datetime: null,
    platform: null,
    orbit: null,
    rings: [],
    thumbnail: false,
    simulated: false,
    note: ''
  };
}

it('puts scenes in order, those that say nothing at the end', () => {
  const items = [
    item('a', 40),
    item('b', null),
    item('c', 9.5),
    item('d', 100)
  ];
  const ids = (descending: boolean): string =>
    sortItems(items, { key: 'cloud_cover', descending })
      .map(({ id }) => id)
      .join('');
  expect(ids(false)).toBe('cadb');
  expect(ids(true)).toBe('dacb');
  expect(sortItems(items, null)).toBe(items);
});

it('goes up, down, and back to the order of the answer', () => {
  const up = nextOrder(null, 'orbit');
  expect(up).toEqual({ key: 'orbit', descending: false });
  const down = nextOrder(up, 'orbit');
  expect(down).toEqual({ key: 'orbit', descending: true });
  expect(nextOrder(down, 'orbit')).toBeNull();
  expect(nextOrder(down, 'id')).toEqual({ key: 'id', descending: false });
});
