import type { BBox, FlatRing, Json, Position } from '../../server/contract';
import { onGlobe } from './antimeridian';

/**
 * A polygon in degrees, without holes.
 *
 * Its ring makes no jumps: what reaches over 180 degrees goes on beyond it. `geometryOf` is what
 * others understand.
 */
export interface IArea {
  type: 'Polygon';
  coordinates: Position[][];
}

/** Parts of an area on both sides of 180 degrees. */
export interface IParts {
  type: 'MultiPolygon';
  coordinates: Position[][][];
}

/** Limits of a number, or the texts that are wanted. */
export interface IFilter {
  min?: number;
  max?: number;
  values?: (string | number | boolean)[];
}

/** All that a search asks for; empty texts ask for everything. */
export interface ISearchQuery {
  catalog: string;
  collection: string;
  area: IArea | null;
  /** ISO days, both inclusive. */
  start: string;
  end: string;
  /** Percent; 100 asks for everything, items of unknown cloud included. */
  maxCloud: number;
  text: string;
  filters: Record<string, IFilter>;
  limit: number;
}

export const EMPTY: ISearchQuery = {
  catalog: '',
  collection: '',
  area: null,
  start: '',
  end: '',
  maxCloud: 100,
  text: '',
  filters: {},
  limit: 1000
};

/** A box as an area. */
export function areaOfBox([west, south, east, north]: BBox): IArea {
  const ring: Position[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south]
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

/** West, south, east, north of an area. */
export function boundsOf(area: IArea): BBox {
  const points = area.coordinates[0] ?? [];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** West, south, east, north on the globe; west is the larger one of what reaches over 180 degrees. */
export function boxOf(area: IArea): BBox {
  const [west, south, east, north] = boundsOf(area);
  if (east - west >= 360) {
    return [-180, south, 180, north];
  }
  return [
    west < -180 ? west + 360 : west,
    south,
    east > 180 ? east - 360 : east,
    north
  ];
}

/** An area as GeoJSON has it: in parts where it reaches over 180 degrees. */
export function geometryOf(area: IArea): IArea | IParts {
  const parts = isBeyond(area) ? onGlobe(area.coordinates[0] ?? []) : [];
  const [only] = parts;
  if (parts.length > 1) {
    return { type: 'MultiPolygon', coordinates: parts.map(part => [part]) };
  }
  return only ? { type: 'Polygon', coordinates: [only] } : area;
}

/** The bounds of an area that they say all of; null where it is no box on the globe. */
export function plainBox(area: IArea): BBox | null {
  return isBox(area) && !isBeyond(area) ? boundsOf(area) : null;
}

function isBeyond(area: IArea): boolean {
  const [west, , east] = boundsOf(area);
  return west < -180 || east > 180;
}

/** The box around many rings; null around none. */
export function boundsOfRings(rings: Iterable<FlatRing>): BBox | null {
  const box: BBox = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of rings) {
    for (let at = 0; at < ring.length; at += 2) {
      const [x = NaN, y = NaN] = [ring[at], ring[at + 1]];
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box[0] <= box[2] ? box : null;
}

/** Whether an area is a box along the meridians. */
export function isBox(area: IArea): boolean {
  const ring = area.coordinates[0] ?? [];
  const [west, south, east, north] = boundsOf(area);
  return (
    ring.length === 5 &&
    ring.every(
      ([x, y]) => (x === west || x === east) && (y === south || y === north)
    )
  );
}

/** Degrees with five digits: a metre. */
export function roundArea(area: IArea): IArea {
  const round = (value: number): number => Number(value.toFixed(5));
  return {
    type: 'Polygon',
    coordinates: area.coordinates.map(ring =>
      ring.map(([x, y]): Position => [round(x), round(y)])
    )
  };
}

/** Dates as STAC writes them; an open end is `..`. */
export function datetimeOf({
  start,
  end
}: Pick<ISearchQuery, 'start' | 'end'>): string | null {
  return start || end ? `${start || '..'}/${end || '..'}` : null;
}

/** Filters as CQL2 JSON; null where there are none. */
export function cqlOf(filters: Record<string, IFilter>): object | null {
  const parts: object[] = [];
  for (const [property, filter] of Object.entries(filters)) {
    const { min, max, values } = filter;
    if (min !== undefined) {
      parts.push({ op: '>=', args: [{ property }, min] });
    }
    if (max !== undefined) {
      parts.push({ op: '<=', args: [{ property }, max] });
    }
    if (values?.length) {
      parts.push(
        values.length === 1
          ? { op: '=', args: [{ property }, values[0]] }
          : { op: 'in', args: [{ property }, values] }
      );
    }
  }
  return parts.length > 1 ? { op: 'and', args: parts } : (parts[0] ?? null);
}

/** The body of a search request. */
export function bodyOf(query: ISearchQuery): Record<string, unknown> {
  const { area, collection, maxCloud, text, filters, limit } = query;
  const box = area && plainBox(area);
  const all: Record<string, unknown> = {
    collection,
    bbox: box,
    intersects: area && !box ? geometryOf(area) : null,
    datetime: datetimeOf(query),
    max_cloud: maxCloud < 100 ? maxCloud : null,
    filter: cqlOf(filters),
    text: text.trim(),
    limit
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== null && value !== '')
  );
}

/** The keys of what was stored; none where it is no object. */
export function readObject(value: Json): { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : {};
}

/** A query out of what was stored: parts that do not fit are left empty. */
export function readQuery(value: unknown): ISearchQuery {
  if (typeof value !== 'object' || value === null) {
    return EMPTY;
  }
  const given = value as Partial<Record<keyof ISearchQuery, unknown>>;
  const text = (part: unknown): string =>
    typeof part === 'string' ? part : '';
  const number = (part: unknown, low: number, high: number, or: number) =>
    typeof part === 'number' && part >= low && part <= high ? part : or;
  return {
    catalog: text(given.catalog),
    collection: text(given.collection),
    area: readArea(given.area),
    start: text(given.start),
    end: text(given.end),
    maxCloud: number(given.maxCloud, 0, 100, EMPTY.maxCloud),
    text: text(given.text),
    filters: readFilters(given.filters),
    limit: number(given.limit, 1, 10_000, EMPTY.limit)
  };
}

/** An area out of what was stored. */
export function readArea(value: unknown): IArea | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { type, coordinates } = value as Partial<IArea>;
  const fine =
    type === 'Polygon' &&
    Array.isArray(coordinates) &&
    (coordinates[0]?.length ?? 0) >= 4 &&
    coordinates.every(ring =>
      ring.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
    );
  return fine ? { type, coordinates } : null;
}

function readFilters(value: unknown): Record<string, IFilter> {
  if (typeof value !== 'object' || value === null) {
    return {};
  }
  const kept: Record<string, IFilter> = {};
  for (const [name, part] of Object.entries(value)) {
    const { min, max, values } = (part ?? {}) as IFilter;
    kept[name] = {
      ...(typeof min === 'number' ? { min } : {}),
      ...(typeof max === 'number' ? { max } : {}),
      ...(Array.isArray(values) ? { values } : {})
    };
  }
  return kept;
}
