/** What the server half answers about catalogues. */

import type { BBox } from './common';

export interface ISkipped {
  href: string;
  message: string;
}

export interface ICatalog {
  name: string;
  kind: string;
  url: string;
  description: string;
  simulated: boolean;
  /** Somebody added it, and may change and remove it. */
  own: boolean;
}

export interface ICatalogs {
  catalogs: ICatalog[];
}

export interface ICollection {
  id: string;
  title: string;
  description: string;
  license: string | null;
  items: number | null;
  bbox: BBox | null;
  interval: [string | null, string | null];
  simulated: boolean;
}

export interface ICollections {
  collections: ICollection[];
  skipped: ISkipped[];
}

export interface IItem {
  id: string;
  collection: string;
  datetime: string | null;
  /** Percent. */
  cloud_cover: number | null;
  platform: string | null;
  bbox: BBox | null;
  epsg: number | null;
  thumbnail: boolean;
  bands: string[];
  notes: string[];
}

export interface IItems {
  items: IItem[];
  matched: number | null;
  skipped: ISkipped[];
}
