/** A map below the footprints, as the user's settings name it. */
export interface IBaseMap {
  name: string;
  kind: 'xyz' | 'wmts' | 'pmtiles';
  url: string;
  /** Of a WMTS. */
  layer: string;
}
