import { describe, expect, it } from 'vitest';

import { unwrapped, crosses } from '../../../src/catalog/model/antimeridian';
import { drawable, drawableBox } from '../../../src/catalog/model/earth';
import {
  areaOfBox,
  bodyOf,
  boxOf,
  EMPTY
} from '../../../src/catalog/model/query';
import { land } from '../../../src/catalog/search/map/land';
import { featuresCode } from '../../../src/catalog/search/results/searchCode';

describe('the Earth', () => {
  it('has land without jumps across the date line', () => {
    const rings = land();
    expect(rings.length).toBeGreaterThan(100);
    const jumps = rings.filter(ring =>
      ring.some(
        (x, at) => at % 2 === 0 && Math.abs(x - (ring[at - 2] ?? x)) > 180
      )
    );
    // Antarctica goes around the pole, and is closed there.
    expect(jumps.every(ring => ring.some((y, at) => at % 2 && y === -90))).toBe(
      true
    );
  });

  it('shows what reaches over 180 degrees on both sides', () => {
    const ring: [number, number][] = [
      [179, 0],
      [-179, 0],
      [-179, 1],
      [179, 0]
    ];
    const both = unwrapped(ring).map(each => each.map(([x]) => x));
    expect(both).toEqual([
      [179, 181, 181, 179],
      [-181, -179, -179, -181]
    ]);
  });

  it('is drawn to the latitudes that a projection has', () => {
    const south = [0, -80, 1, -80, 1, 10, 0, -80];
    expect(drawable([[0, -80, 1, -80, 1, -9, 0, -80]], 'EPSG:3413')).toEqual(
      []
    );
    expect(drawable([south], 'EPSG:3031')).toEqual([
      [0, -80, 1, -80, 1, 0, 0, -80]
    ]);
    const [north] = [[0, 10, 1, 10, 1, 20, 0, 10]];
    expect(drawable([north, south], 'EPSG:3857')).toEqual([north, south]);
    expect(drawableBox([0, -90, 1, 90], 'EPSG:3857')).toEqual([0, -85, 1, 85]);
    expect(drawableBox([0, -50, 1, -40], 'EPSG:3413')).toBeNull();
  });

  it('has footprints over 180 degrees on both sides, where they jump too', () => {
    const jumps = [175, 0, -172, 2, -172, 12, 175, 10, 175, 0];
    expect(drawable([jumps], 'EPSG:3857')).toEqual([
      [175, 0, 188, 2, 188, 12, 175, 10, 175, 0],
      [-185, 0, -172, 2, -172, 12, -185, 10, -185, 0]
    ]);
    // From above a pole there is no side.
    expect(drawable([jumps], 'EPSG:3413')).toEqual([jumps]);
    // A grid of all the Earth is no sliver at the date line.
    const whole = [-179.9, -89, 179.9, -89, 179.9, 89, -179.9, 89, -179.9, -89];
    expect(drawable([whole], 'EPSG:4326')).toEqual([whole]);
  });

  it('bends what runs along a parallel on a map from above a pole', () => {
    const cap = [-180, 70, 180, 70, 180, 90, -180, 90, -180, 70];
    const [ring = []] = drawable([cap], 'EPSG:3413');
    const rim = ring.filter((_, at) => at % 2 === 0 && ring[at + 1] === 70);
    expect(rim.length).toBeGreaterThan(90);
    expect(Math.max(...steps(rim.slice(0, -1)))).toBeLessThanOrEqual(2);
    // The short way where a ring jumps, straight where a scene's edge is slanted.
    const jumps = [170, 80, -170, 80, -170, 84, 170, 85, 170, 80];
    const [bent = []] = drawable([jumps], 'EPSG:3413');
    expect(bent.slice(0, 6)).toEqual([170, 80, 172, 80, 174, 80]);
    expect(bent.slice(-8)).toEqual([-170, 80, -170, 84, 170, 85, 170, 80]);
  });
});

function steps(values: number[]): number[] {
  return values.slice(1).map((value, at) => Math.abs(value - values[at]!));
}

describe('an area over 180 degrees', () => {
  const over = areaOfBox([175, -20, 190, -10]);

  it('is a box from east to west in numbers, and two parts in a request', () => {
    expect(boxOf(over)).toEqual([175, -20, -170, -10]);
    expect(boxOf(areaOfBox([-190, 0, 170, 1]))).toEqual([-180, 0, 180, 1]);
    const { bbox, intersects } = bodyOf({ ...EMPTY, area: over });
    expect(bbox).toBeUndefined();
    const { type, coordinates } = intersects as {
      type: string;
      coordinates: [number, number][][][];
    };
    expect(type).toBe('MultiPolygon');
    const sides = coordinates.map(([ring = []]) => ring.map(([x]) => x));
    expect(sides.map(xs => [Math.min(...xs), Math.max(...xs)])).toEqual([
      [175, 180],
      [-180, -170]
    ]);
  });

  it('is a geometry in code, since a box has one side of west', () => {
    const code = featuresCode(
      { ...EMPTY, catalog: 'sample', area: over },
      { ids: [], bands: [], mask: false }
    );
    expect(code).toContain('"type": "MultiPolygon"');
    expect(code).toContain('geometry=[shape(area)]');
    expect(code).not.toContain('bbox');
  });
});

it('a ring goes the other way round only where it must', () => {
  const scene = [175, 0, -172, 2, -172, 12, 175, 10, 175, 0];
  const wide = [-120, 10, 120, 10, 120, 20, -120, 20, -120, 10];
  const pole = [-100, 70, -10, 70, 80, 70, 170, 70, -100, 70];
  expect([scene, wide, pole].map(crosses)).toEqual([true, false, true]);
});
