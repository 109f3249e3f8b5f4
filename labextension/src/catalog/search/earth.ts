import type { BBox } from '../../shared/contract';
import type { FlatRing } from './answers';

/** How the Earth is drawn. */
export type Code = 'EPSG:3857' | 'EPSG:4326' | 'EPSG:3413' | 'EPSG:3031';

/** Latitudes that a projection can draw; beyond them coordinates run away. */
export function latitudes(code: string): [south: number, north: number] {
  switch (code) {
    case 'EPSG:3413':
      return [25, 90];
    case 'EPSG:3031':
      return [-90, -25];
    case 'EPSG:3857':
      return [-85, 85];
    default:
      return [-90, 90];
  }
}

/** Rings with the latitudes that can be drawn; rings that lie beyond them are left out. */
export function drawable(
  rings: readonly FlatRing[],
  code: string
): readonly FlatRing[] {
  const [south, north] = latitudes(code);
  const lies = (test: (y: number) => boolean) => (value: number, at: number) =>
    at % 2 === 1 && test(value);
  // Nearly all are: those are taken as they are, since there may be ten thousand.
  const beyond = lies(y => y < south || y > north);
  if (!rings.some(ring => ring.some(beyond))) {
    return rings;
  }
  const within = lies(y => y > south && y < north);
  return rings
    .filter(ring => ring.some(within))
    .map(ring =>
      ring.map((value, at) =>
        at % 2 ? Math.max(south, Math.min(north, value)) : value
      )
    );
}

/** A box with the latitudes that can be drawn; none where it lies beyond them. */
export function drawableBox(box: BBox, code: string): BBox | null {
  const [south, north] = latitudes(code);
  const low = Math.max(box[1], south);
  const high = Math.min(box[3], north);
  return low <= high ? [box[0], low, box[2], high] : null;
}
