import { containsXY, type Extent } from 'ol/extent';
import type { Polygon } from 'ol/geom';
import { fromExtent } from 'ol/geom/Polygon';
import { transform, transformExtent } from 'ol/proj';

import type { Position } from '../../../server/contract';
import { turnedBack, unwrapped } from '../../model/antimeridian';
import { isPolar, type Code } from '../../model/earth';
import { areaOfBox, roundArea, type IArea } from '../../model/query';

const DEGREES = 'EPSG:4326';

/** Points for an edge that is straight on a polar map and bent in degrees. */
const PIECES = 12;

/** A shape that was drawn, in degrees: on whichever of a flat map's worlds it was. */
export function areaOfShape(shape: Polygon, code: Code): IArea {
  const [ring = []] = shape.getCoordinates() as Position[][];
  const drawn = isPolar(code) ? inPieces(ring) : ring;
  const points = drawn.map((point): Position => {
    const [longitude = 0, latitude = 0] = transform(point, code, DEGREES);
    return [longitude, Math.max(-90, Math.min(90, latitude))];
  });
  const [whole = []] = isPolar(code) ? unwrapped(points) : [points];
  return roundArea({ type: 'Polygon', coordinates: [turnedBack(whole)] });
}

/** What a map shows, as an area. */
export function areaOfView(extent: Extent, code: Code): IArea {
  const [west = 0, south = 0, east = 0, north = 0] = extent;
  if (isPolar(code)) {
    if (!containsXY(extent, 0, 0)) {
      return areaOfShape(fromExtent(extent), code);
    }
    const corners = [west, east].flatMap(x =>
      [south, north].map(y => transform([x, y], code, DEGREES)[1] ?? 0)
    );
    return roundArea(
      areaOfBox(
        code === 'EPSG:3413'
          ? [-180, Math.min(...corners), 180, 90]
          : [-180, -90, 180, Math.max(...corners)]
      )
    );
  }
  const [left = 0, low = 0, right = 0, high = 0] = transformExtent(
    extent,
    code,
    DEGREES
  );
  // A far view shows more than one world.
  const far = right - left >= 360;
  const [ring = []] = areaOfBox([
    far ? -180 : left,
    Math.max(-90, low),
    far ? 180 : right,
    Math.min(90, high)
  ]).coordinates;
  return roundArea({ type: 'Polygon', coordinates: [turnedBack(ring)] });
}

function inPieces(ring: readonly Position[]): Position[] {
  const [first] = ring;
  return first
    ? [
        first,
        ...ring.slice(1).flatMap(([x, y], at) => {
          const [fromX, fromY] = ring[at] ?? first;
          return Array.from({ length: PIECES }, (_, piece): Position => {
            const share = (piece + 1) / PIECES;
            return [fromX + share * (x - fromX), fromY + share * (y - fromY)];
          });
        })
      ]
    : [];
}
