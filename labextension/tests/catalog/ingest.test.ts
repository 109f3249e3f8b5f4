import { describe, expect, it } from 'vitest';

import { EMPTY, nameOf, requestOf } from '../../src/catalog/ingest/draft';

describe('what is said of rasters', () => {
  it('leaves out what nobody filled in', () => {
    expect(requestOf({ ...EMPTY, paths: ' a \n\nb/c.tif ' })).toEqual({
      paths: ['a', 'b/c.tif']
    });
  });

  it('counts for all files, or for those of a pattern', () => {
    const draft = {
      ...EMPTY,
      paths: 'a',
      name: 'mine',
      bands: 'red, nir,',
      scale: '1e-4',
      nodata: 'nan',
      time: '2021-05-17',
      pattern: ' (?P<year>\\d{4}) '
    };
    expect(requestOf(draft)).toEqual({
      paths: ['a'],
      to: 'mine',
      bands: ['red', 'nir'],
      scale: 0.0001,
      nodata: 'nan',
      time: '2021-05-17',
      pattern: '(?P<year>\\d{4})'
    });
    expect(requestOf({ ...draft, only: 'drone_*' })).toMatchObject({
      bands: { 'drone_*': ['red', 'nir'] },
      scale: { 'drone_*': 0.0001 },
      nodata: { 'drone_*': 'nan' },
      time: '2021-05-17',
      pattern: '(?P<year>\\d{4})'
    });
  });

  it('goes to the server as it is where it is no number', () => {
    expect(requestOf({ ...EMPTY, scale: 'x' }).scale).toBe('x');
  });

  it.each([
    ['data/My Räster (final)/', 'my-raster-final'],
    ['a/field_2021.tif', 'field_2021'],
    ['', '']
  ])('names the collection of %s', (path, name) => {
    expect(nameOf(path)).toBe(name);
  });
});
