import { get } from 'ol/proj';
import { register } from 'ol/proj/proj4';
import proj4 from 'proj4';

/** Polar stereographic projections by their code: formula, half the side of the map in metres. */
const POLAR: Record<string, [definition: string, reach: number]> = {
  'EPSG:3413': [
    '+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs',
    4_200_000
  ],
  'EPSG:3031': [
    '+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs',
    4_200_000
  ]
};

/** Teach OpenLayers the projections of both poles. */
export function addPolar(): void {
  for (const [code, [definition, reach]] of Object.entries(POLAR)) {
    proj4.defs(code, definition);
    register(proj4);
    const projection = get(code);
    projection?.setExtent([-reach, -reach, reach, reach]);
    projection?.setWorldExtent(
      code === 'EPSG:3413' ? [-180, 50, 180, 90] : [-180, -90, 180, -50]
    );
  }
}
