import type { BBox, FlatRing } from '../../server/contract';
import { bent, crosses, laidFlat } from './antimeridian';

/** How the Earth can be drawn. */
export const CODES = [
  'EPSG:3857',
  'EPSG:4326',
  'EPSG:3413',
  'EPSG:3031'
] as const;

export type Code = (typeof CODES)[number];

/** A projection out of what was stored. */
export function readCode(value: unknown): Code {
  return CODES.find(code => code === value) ?? CODES[0];
}

/** Latitudes that a projection can draw; beyond them coordinates run away. */
export function latitudes(code: string): [south: number, north: number] {
  switch (code) {
    // So far out that the edge is seen in no window.
    case 'EPSG:3413':
      return [0, 90];
    case 'EPSG:3031':
      return [-90, 0];
    case 'EPSG:3857':
      return [-85, 85];
    default:
      return [-90, 90];
  }
}

/** Whether the Earth is seen from above one of its poles. */
export function isPolar(code: string): boolean {
  return code === 'EPSG:3413' || code === 'EPSG:3031';
}

/** Rings as lines that can be drawn: over 180 degrees, along parallels, to the last latitude. */
export function drawable(
  rings: readonly FlatRing[],
  code: string
): readonly FlatRing[] {
  if (isPolar(code)) {
    return clipped(rings.map(bent), code);
  }
  return clipped(rings.some(crosses) ? rings.flatMap(laidFlat) : rings, code);
}

/** Rings with the latitudes that can be drawn; rings that lie beyond them are left out. */
export function clipped(
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
