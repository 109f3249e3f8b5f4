import WMTSCapabilities from 'ol/format/WMTSCapabilities';
import type BaseLayer from 'ol/layer/Base';
import TileLayer from 'ol/layer/Tile';
import VectorTileLayer from 'ol/layer/VectorTile';
import WMTS, { optionsFromCapabilities } from 'ol/source/WMTS';
import XYZ from 'ol/source/XYZ';
import { PMTilesRasterSource, PMTilesVectorSource } from 'ol-pmtiles';
import { PMTiles, TileType } from 'pmtiles';

import type { IBaseMap } from '../../model/baseMap';

/** The layer of a base map; rejects where its address has none. */
export async function baseLayer(map: IBaseMap): Promise<BaseLayer> {
  const { kind, url, layer } = map;
  switch (kind) {
    case 'xyz':
      return new TileLayer({ source: new XYZ({ url }) });
    case 'wmts': {
      const answer = await fetch(url);
      if (!answer.ok) {
        throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
      }
      const capabilities: unknown = new WMTSCapabilities().read(
        await answer.text()
      );
      const options = optionsFromCapabilities(
        capabilities as Record<string, unknown>,
        { layer }
      );
      if (!options) {
        throw new Error(`${url}: no layer “${layer}”`);
      }
      return new TileLayer({ source: new WMTS(options) });
    }
    case 'pmtiles': {
      const { tileType } = await new PMTiles(url).getHeader();
      return tileType === TileType.Mvt
        ? new VectorTileLayer({ source: new PMTilesVectorSource({ url }) })
        : new TileLayer({ source: new PMTilesRasterSource({ url }) });
    }
  }
}
