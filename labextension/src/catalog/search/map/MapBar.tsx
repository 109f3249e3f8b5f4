import type { JSX } from 'react';

import { useEolab, useTrans } from '../../../context/context';
import type { BBox } from '../../../server/contract';
import { useCatalog } from '../../model/catalogToken';
import { readCode } from '../../model/earth';
import type { Tool } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';
import type { MapView } from './mapView';

/** JupyterLab's own: its settings, with what is looked for. */
const SETTINGS = 'settingeditor:open';

interface IProps {
  view: MapView | null;
  extent: BBox | null;
}

/** What is done on the map: draw an area, take what is seen, go to the collection. */
export function MapBar({ view, extent }: IProps): JSX.Element {
  const [model, { query, tool, earth }] = useSearch();
  const trans = useTrans();
  const tools: [Tool, string][] = [
    ['box', trans.__('Draw box')],
    ['polygon', trans.__('Draw polygon')]
  ];
  return (
    <div
      className="eolab-SearchMap-bar"
      role="toolbar"
      aria-label={trans.__('Area')}
    >
      {tools.map(([name, label]) => (
        <button
          key={name}
          className="eolab-Button"
          aria-pressed={tool === name}
          onClick={() => model.setTool(tool === name ? 'none' : name)}
        >
          {label}
        </button>
      ))}
      <button
        className="eolab-Button"
        onClick={() => view && model.change({ area: view.viewport() })}
      >
        {trans.__('Use the map view')}
      </button>
      {query.area ? (
        <button
          className="eolab-Button"
          onClick={() => model.change({ area: null })}
        >
          {trans.__('Reset area')}
        </button>
      ) : null}
      {extent ? (
        <button className="eolab-Button" onClick={() => view?.fit(extent)}>
          {trans.__('Go to collection')}
        </button>
      ) : null}
      <BaseMapField />
      <label className="eolab-SearchMap-earth">
        <span>{trans.__('Projection')}</span>
        <select
          value={earth}
          onChange={event =>
            model.look({ earth: readCode(event.target.value) })
          }
        >
          <option value="EPSG:3857">{trans.__('Mercator')}</option>
          <option value="EPSG:4326">{trans.__('degrees')}</option>
          <option value="EPSG:3413">{trans.__('Arctic')}</option>
          <option value="EPSG:3031">{trans.__('Antarctic')}</option>
        </select>
      </label>
      {tool === 'polygon' ? (
        <span className="eolab-mod-quiet" role="status">
          {trans.__('Click corners; double-click ends, Escape gives up.')}
        </span>
      ) : null}
      {tool === 'box' ? (
        <span className="eolab-mod-quiet" role="status">
          {trans.__('Click one corner, then the other; Escape gives up.')}
        </span>
      ) : null}
    </div>
  );
}

/** The base maps that the user's settings name; none is fetched before it is chosen. */
function BaseMapField(): JSX.Element | null {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const [model, { base }] = useSearch();
  const maps = catalog.baseMaps;
  if (!maps.length) {
    return commands.hasCommand(SETTINGS) ? (
      <button
        className="eolab-Button"
        title={trans.__(
          'Name tiles, a WMTS or PMTiles of yours in the settings'
        )}
        onClick={() =>
          void commands.execute(SETTINGS, { query: 'Earth Observation scenes' })
        }
      >
        {trans.__('Base map…')}
      </button>
    ) : null;
  }
  return (
    <label>
      <span>{trans.__('Base map')}</span>{' '}
      <select
        value={base}
        onChange={event => model.look({ base: event.target.value })}
      >
        <option value="">{trans.__('land')}</option>
        {maps.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
