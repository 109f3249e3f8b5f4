import type { FlatRing, Position } from '../../server/contract';

/** Where a map is cut open. */
const CUT = 180;

/**
 * Degrees between two corners from which on a ring is taken to go the other way round: a scene is
 * less than a quarter of the Earth wide. The search goes by the same (`eolab/catalog/antimeridian.py`).
 */
const LEAP = 270;

/** How many times taller than wide a box may be before it is taken to go the other way round. */
const SLENDER = 3;

/** Degrees along a parallel that a straight line of a polar map may stand for. */
const STEP = 2;

/**
 * Whether a ring reaches over 180 degrees: its longitudes leave the globe, or jump.
 *
 * GeoJSON wants such rings cut in two (RFC 7946, 3.1.9); many catalogues let them jump.
 */
export function crosses(ring: FlatRing): boolean {
  let last = ring[0] ?? 0;
  let leaps = false;
  let turns = 0; // those around a pole are not undone
  for (let at = 0; at < ring.length; at += 2) {
    const x = ring[at] ?? 0;
    const way = x - last;
    const far = Math.abs(way);
    if (x > CUT || x < -CUT) {
      return true;
    }
    if (far > CUT && far < 2 * CUT) {
      leaps ||= far > LEAP;
      turns += Math.sign(way);
    }
    last = x;
  }
  return turns !== 0 || (leaps && !isWide(ring));
}

/** A box such as -179.9 to 179.9: all of the Earth rather than a sliver across 180 degrees. */
function isWide(ring: FlatRing): boolean {
  const xs = ring.filter((_, at) => at % 2 === 0);
  const ys = ring.filter((_, at) => at % 2 === 1);
  const [west, east] = [Math.min(...xs), Math.max(...xs)];
  const [south, north] = [Math.min(...ys), Math.max(...ys)];
  return (
    xs.length === 5 &&
    xs.every(x => x === west || x === east) &&
    ys.every(y => y === south || y === north) &&
    north - south > SLENDER * (2 * CUT - (east - west))
  );
}

/** A ring without jumps across 180 degrees: what reaches over that stands on both sides. */
export function unwrapped(ring: readonly Position[]): Position[][] {
  let turn = 0;
  let last = ring[0]?.[0] ?? 0;
  const whole = ring.map(([x, y]): Position => {
    turn += x - last > CUT ? -2 * CUT : x - last < -CUT ? 2 * CUT : 0;
    last = x;
    return [x + turn, y];
  });
  const [first, end] = [whole[0], whole[whole.length - 1]];
  if (first && end && Math.abs(end[0] - first[0]) > CUT) {
    // Around a pole: closed by way of it.
    const pole = first[1] < 0 ? -90 : 90;
    whole.push([end[0], pole], [first[0], pole], first);
  }
  const xs = whole.map(([x]) => x);
  const copies = [0];
  if (Math.max(...xs) > CUT) {
    copies.push(-2 * CUT);
  }
  if (Math.min(...xs) < -CUT) {
    copies.push(2 * CUT);
  }
  return copies.map(by => whole.map(([x, y]): Position => [x + by, y]));
}

/** The rings that stand for one on a flat map. */
export function laidFlat(ring: FlatRing): readonly FlatRing[] {
  return crosses(ring)
    ? unwrapped(pointsOf(ring)).map(each => each.flat())
    : [ring];
}

/**
 * A ring for a map from above a pole: what runs along a parallel is bent like it.
 *
 * Other edges stay straight: those of scenes are, there more than in degrees.
 */
export function bent(ring: FlatRing): FlatRing {
  const runs = (at: number): boolean =>
    at > 1 &&
    ring[at + 1] === ring[at - 1] &&
    Math.abs((ring[at] ?? 0) - (ring[at - 2] ?? 0)) > STEP;
  if (!ring.some((_, at) => at % 2 === 0 && runs(at))) {
    return ring;
  }
  const short = crosses(ring);
  const made: number[] = [];
  for (let at = 0; at < ring.length; at += 2) {
    const [x = 0, y = 0] = [ring[at], ring[at + 1]];
    if (runs(at)) {
      const from = ring[at - 2] ?? 0;
      const way = x - from;
      const over = short && Math.abs(way) > CUT ? 2 * CUT * Math.sign(way) : 0;
      const steps = Math.ceil(Math.abs(way - over) / STEP);
      for (let step = 1; step < steps; step++) {
        made.push(from + ((way - over) * step) / steps, y);
      }
    }
    made.push(x, y);
  }
  return made;
}

/** The parts of a ring that lie on the globe, each with longitudes from -180 to 180. */
export function onGlobe(ring: readonly Position[]): Position[][] {
  return [-1, 0, 1]
    .map(turn => {
      const by = 2 * CUT * turn;
      const low = side(ring, x => x + CUT - by);
      return side(low, x => CUT + by - x).map(([x, y]): Position => [
        x - by,
        y
      ]);
    })
    .filter(part => {
      const xs = part.map(([x]) => x);
      return Math.max(...xs) > Math.min(...xs);
    });
}

/** What of a ring lies where a measure of its longitudes is not negative (Sutherland-Hodgman). */
function side(
  ring: readonly Position[],
  inside: (longitude: number) => number
): Position[] {
  const kept: Position[] = [];
  ring.slice(1).forEach((to, at) => {
    const from = ring[at] ?? to;
    const [left, right] = [inside(from[0]), inside(to[0])];
    if (left >= 0 !== right >= 0) {
      const share = left / (left - right);
      kept.push([
        from[0] + share * (to[0] - from[0]),
        from[1] + share * (to[1] - from[1])
      ]);
    }
    if (right >= 0) {
      kept.push(to);
    }
  });
  const [first] = kept;
  return first ? [...kept, first] : [];
}

/** Longitudes moved by whole turns until their middle lies on the globe. */
export function turnedBack(ring: readonly Position[]): Position[] {
  const xs = ring.map(([x]) => x);
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  const by = 2 * CUT * Math.floor((middle + CUT) / (2 * CUT));
  return ring.map(([x, y]): Position => [x - by, y]);
}

export function pointsOf(ring: FlatRing): Position[] {
  const points: Position[] = [];
  for (let at = 0; at + 1 < ring.length; at += 2) {
    points.push([ring[at] ?? 0, ring[at + 1] ?? 0]);
  }
  return points;
}
