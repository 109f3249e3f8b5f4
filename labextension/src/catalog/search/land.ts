import type { Feature, MultiPolygon, Polygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import topology from 'world-atlas/land-110m.json';

import type { FlatRing, Point } from './answers';

/**
 * The land of the Earth as outer rings (Natural Earth, public domain): where one is, offline.
 *
 * What reaches over 180 degrees stands on both sides of a flat map.
 */
export function land(flat = true): FlatRing[] {
  const world = topology as unknown as Topology<{
    land: GeometryCollection<object>;
  }>;
  const { features } = feature(world, world.objects.land);
  return features
    .flatMap(part => outerRings(part as Feature<Polygon | MultiPolygon>))
    .flatMap(ring => (flat ? unwrapped(ring) : unwrapped(ring).slice(0, 1)))
    .map(ring => ring.flat());
}

function outerRings({ geometry }: Feature<Polygon | MultiPolygon>): Point[][] {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  // A map this coarse can do without the one lake that it knows.
  return polygons.flatMap(rings =>
    rings.slice(0, 1).map(ring => ring.map(([x = 0, y = 0]): Point => [x, y]))
  );
}

/** A ring without jumps across 180 degrees: what reaches over that stands on both sides. */
export function unwrapped(ring: readonly Point[]): Point[][] {
  let turn = 0;
  let last = ring[0]?.[0] ?? 0;
  const whole = ring.map(([x, y]): Point => {
    turn += x - last > 180 ? -360 : x - last < -180 ? 360 : 0;
    last = x;
    return [x + turn, y];
  });
  const [first, end] = [whole[0], whole[whole.length - 1]];
  if (first && end && Math.abs(end[0] - first[0]) > 180) {
    // Around a pole: closed by way of it.
    const pole = first[1] < 0 ? -90 : 90;
    whole.push([end[0], pole], [first[0], pole], first);
  }
  const xs = whole.map(([x]) => x);
  const copies = [0];
  if (Math.max(...xs) > 180) {
    copies.push(-360);
  }
  if (Math.min(...xs) < -180) {
    copies.push(360);
  }
  return copies.map(by => whole.map(([x, y]): Point => [x + by, y]));
}
