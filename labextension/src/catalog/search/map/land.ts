import type { Feature, MultiPolygon, Polygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import topology from 'world-atlas/land-110m.json';

import type { FlatRing, Position } from '../../../server/contract';
import { unwrapped } from '../../model/antimeridian';

/**
 * The land of the Earth as outer rings (Natural Earth, public domain): where one is, offline.
 *
 * What reaches over 180 degrees stands on both sides of a flat map; from above, the pole that
 * Antarctica is closed by is no part of its coast.
 */
export function land(flat = true): FlatRing[] {
  const world = topology as unknown as Topology<{
    land: GeometryCollection<object>;
  }>;
  const { features } = feature(world, world.objects.land);
  return features
    .flatMap(part => outerRings(part as Feature<Polygon | MultiPolygon>))
    .flatMap(ring => (flat ? unwrapped(ring) : [ring.filter(isCoast)]))
    .map(ring => ring.flat());
}

function isCoast([, y]: Position): boolean {
  return y > -89.9;
}

function outerRings({
  geometry
}: Feature<Polygon | MultiPolygon>): Position[][] {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  // A map this coarse can do without the one lake that it knows.
  return polygons.flatMap(rings =>
    rings
      .slice(0, 1)
      .map(ring => ring.map(([x = 0, y = 0]): Position => [x, y]))
  );
}
