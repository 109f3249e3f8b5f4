import {
  cqlOf,
  datetimeOf,
  geometryOf,
  plainBox,
  type ISearchQuery
} from '../../model/query';

/** What is loaded. */
export interface IChoice {
  /** Ids of the chosen items; none means all that are found. */
  ids: readonly string[];
  /** Names of bands; none means all. */
  bands: readonly string[];
  /** Whether the items tell what is cloudy. */
  mask: boolean;
}

/** A value as Python writes it. */
export function python(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (typeof value === 'string') {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(python).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(
      ([key, part]) => `${python(key)}: ${python(part)}`
    );
    return `{${pairs.join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** Python that finds these scenes again, and leaves them as `items`. */
export function searchCode(query: ISearchQuery, choice: IChoice): string {
  const { area, collection, maxCloud, text, filters } = query;
  const cql = cqlOf(filters);
  const lines = ['import eolab as eo', '', 'ws = eo.workspace()'];
  lines.push(`catalogue = ws.catalog(${python(query.catalog)})`);
  const args: string[] = [];
  if (collection) {
    args.push(`collections=[${python(collection)}]`);
  }
  if (area) {
    const box = plainBox(area);
    lines.push(
      box
        ? `bbox = ${python(box)}  # west, south, east, north`
        : `area = ${python(geometryOf(area))}`
    );
    args.push(box ? 'bbox=bbox' : 'intersects=area');
  }
  if (choice.ids.length) {
    args.push(`ids=${python(choice.ids)}`);
  } else {
    const datetime = datetimeOf(query);
    if (datetime) {
      args.push(`datetime=${python(datetime)}`);
    }
    if (maxCloud < 100) {
      args.push(`max_cloud=${maxCloud}`);
    }
    if (cql) {
      args.push(`filter=${python(cql)}`);
    }
    if (text.trim()) {
      args.push(`text=${python(text.trim())}`);
    }
  }
  lines.push(
    'items = catalogue.search(',
    ...args.map(arg => `    ${arg},`),
    ')'
  );
  return lines.join('\n');
}

/** Python that finds these scenes and loads them as `cube`. */
export function loadCode(query: ISearchQuery, choice: IChoice): string {
  return [searchCode(query, choice), loadCall(query, choice), 'cube'].join(
    '\n'
  );
}

/** Python that puts statistics of the area into a feature group. */
export function featuresCode(query: ISearchQuery, choice: IChoice): string {
  const name = (query.collection || query.catalog)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const zones = query.area
    ? [
        'from shapely.geometry import box, shape',
        '',
        'zones = gpd.GeoDataFrame(',
        '    {"zone_id": ["area"]},',
        `    geometry=[${plainBox(query.area) ? 'box(*bbox)' : 'shape(area)'}],`,
        '    crs="EPSG:4326",',
        ')'
      ]
    : [
        '',
        'zones = gpd.read_file("zones.geojson")  # your polygons, with zone_id'
      ];
  const ndvi = ['red', 'nir'].every(band => choice.bands.includes(band));
  return [
    searchCode(query, choice),
    loadCall(query, choice),
    ...(ndvi ? ['cube["NDVI"] = cube.eo.spectral_index("NDVI")'] : []),
    '',
    'import geopandas as gpd',
    ...zones,
    'rows = cube.eo.zonal(zones, id="zone_id", stats=["median", "count"])',
    'group = ws.features.get_or_create_feature_group(',
    `    ${python(name)}, primary_key=["zone_id"], event_time="time"`,
    ')',
    'group.insert(rows)'
  ].join('\n');
}

function loadCall(query: ISearchQuery, choice: IChoice): string {
  const { area } = query;
  const args = ['items'];
  if (choice.bands.length) {
    args.push(`bands=${python(choice.bands)}`);
  }
  if (area) {
    args.push(plainBox(area) ? 'bbox=bbox' : 'intersects=area');
  }
  if (choice.mask) {
    args.push('mask=eo.mask(drop=["cloud", "shadow"])');
  }
  return `cube = eo.load(\n${args.map(arg => `    ${arg},`).join('\n')}\n)`;
}
