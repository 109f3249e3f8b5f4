// @vitest-environment node
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import {
  formatAge,
  formatDuration,
  formatInterval,
  formatValue
} from '../../src/ui/format';

const trans = nullTranslator.load('eolab');

describe('a measured value', () => {
  it.each([
    [0.831234, '0.8312'],
    [0, '0'],
    [1.23e-5, '1.23e-5'],
    [0.00001, '1e-5'],
    [4080, '4,080'],
    [-0.1023, '-0.1023'],
    [1e9, '1e9']
  ])('%d is written %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('that is not known is a dash, never NaN', () => {
    expect(formatValue(null)).toBe('–');
    expect(formatValue(NaN)).toBe('–');
  });
});

describe('a duration', () => {
  it.each([
    [4.23, '4.2 s'],
    [59.6, '1 min 00 s'],
    [65, '1 min 05 s'],
    [7800, '2 h 10 min'],
    [3 * 86400 + 4 * 3600, '3 d 4 h']
  ])('of %d seconds is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('an age', () => {
  it.each([
    [10, 'just now'],
    [120, '2 min ago'],
    [7200, '2 h ago'],
    [86400 * 2, '2 days ago']
  ])('of %d seconds is %s', (seconds, text) => {
    expect(formatAge(1000, 1000 + seconds, trans)).toBe(text);
  });

  it('is never negative where the clocks differ', () => {
    expect(formatAge(1000, 900, trans)).toBe('just now');
  });
});

it('an interval shows days and leaves an open end open', () => {
  expect(formatInterval(['2021-03-24T10:10:31Z', null])).toBe('2021-03-24 – …');
  expect(formatInterval([null, null])).toBe('–');
});
