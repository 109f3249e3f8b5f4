/** What the server half answers to the search tab. */
import type { BBox, ISkipped } from './contract';

/** Longitude and latitude. */
export type Point = [number, number];

/** Longitude, latitude, longitude, latitude…: ten thousand of them are parsed in no time. */
export type FlatRing = number[];

export interface IFoundItem {
  id: string;
  collection: string;
  datetime: string | null;
  /** Percent. */
  cloud_cover: number | null;
  platform: string | null;
  orbit: number | null;
  /** Outer rings of the footprint. */
  rings: FlatRing[];
  thumbnail: boolean;
  simulated: boolean;
  /** What to know before loading. */
  note: string;
}

export interface IHistogram {
  period: 'day' | 'week' | 'month' | 'year';
  /** First day of each bar, and how many items. */
  bins: [string, number][];
  /** Whether all items were counted, or only those that came. */
  whole: boolean;
}

export interface IFound {
  items: IFoundItem[];
  matched: number | null;
  histogram: IHistogram;
  /** Why the answer stops short. */
  message: string;
  skipped: ISkipped[];
}

export interface IBand {
  asset: string;
  index: number;
  name: string;
  common: string;
  /** Micrometres. */
  wavelength: number | null;
  /** Metres. */
  resolution: number | null;
  type: string | null;
  scale: number;
  offset: number;
  nodata: number | null;
  classes: boolean;
}

export interface IAsset {
  key: string;
  title: string;
  type: string;
  roles: string[];
  href: string;
  /** Bytes, where the catalogue says so. */
  size: number | null;
}

export interface IItemDetail {
  id: string;
  collection: string;
  datetime: string | null;
  bbox: BBox | null;
  properties: Record<string, unknown>;
  assets: IAsset[];
  bands: IBand[];
  /** Indices that its bands allow. */
  indices: string[];
  mask: boolean;
  simulated: boolean;
}

export interface IPass {
  date: string | null;
  orbit: number | null;
  direction: string | null;
  platform: string | null;
  baseline: string;
  cloud_cover: number | null;
  /** Of what was seen of the area, 0 to 1. */
  clear: number | null;
  /** Of the area, 0 to 1. */
  seen: number | null;
  items: string[];
}

export interface ICalendar {
  passes: IPass[];
  /** Why nobody knows what is clear. */
  reason: string;
  /** Whether there are older ones. */
  older: boolean;
}

export interface ICurvePoint {
  date: string;
  value: number;
  spread: number;
  clear: number;
  /** Ids of its scenes, between commas. */
  item: string;
}

export interface ICurve {
  index: string;
  points: ICurvePoint[];
  cloudy: number;
  masked: boolean;
  pixels: number;
  older: boolean;
  simulated: boolean;
}

/** A JSON schema, as far as a filter needs it. */
export interface IQueryable {
  type?: string | string[];
  title?: string;
  description?: string;
  minimum?: number;
  maximum?: number;
  enum?: (string | number)[];
}

export interface ISavedEntry<T> {
  name: string;
  value: T;
}
