import { Notification } from '@jupyterlab/apputils';
import { useEffect, useRef, useState, type JSX } from 'react';

import { useTrans } from '../../../context/context';
import type { BBox } from '../../../server/contract';
import { readPalette, useThemeCount } from '../../../ui/theme';
import { useCatalog } from '../../model/catalogToken';
import { boundsOf, boundsOfRings } from '../../model/query';
import { useHovered, useSearch } from '../../model/useSearch';
import { MapBar } from './MapBar';
import type { MapView } from './mapView';

interface IProps {
  /** Where the collection lies. */
  extent: BBox | null;
}

/** The map: footprints of what was found, and the area that is asked for. */
export function SearchMap({ extent }: IProps): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { query, found, selected, tool, earth, base }] = useSearch();
  const hovered = useHovered(model);
  const node = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<MapView | null>(null);
  const theme = useThemeCount();

  useEffect(() => {
    const target = node.current;
    if (!target) {
      return;
    }
    let made: MapView | null = null;
    let wanted = true;
    const observer = new ResizeObserver(() => made?.resize());
    void import('./openlayers').then(({ MapView: View }) => {
      if (!wanted) {
        return;
      }
      made = new View(target, {
        onHover: key => model.hover(key),
        onPick: (key, add) => {
          if (key !== null) {
            model.select(key, add);
            model.open(key);
          }
        },
        onArea: area => {
          model.setTool('none');
          model.change({ area });
        },
        onDrawn: () => performance.mark('eolab-search-drawn')
      });
      observer.observe(target);
      setView(made);
    });
    return () => {
      wanted = false;
      observer.disconnect();
      made?.dispose();
      setView(null);
    };
  }, [model]);

  useEffect(() => {
    if (view && node.current) {
      view.paint(readPalette(node.current));
    }
  }, [view, theme]);
  useEffect(() => view?.setItems(found?.items ?? []), [view, found]);
  useEffect(() => view?.mark(hovered, selected), [view, hovered, selected]);
  useEffect(() => view?.setTool(tool), [view, tool]);
  useEffect(() => {
    view?.setArea(query.area);
    if (query.area) {
      view?.reveal(boundsOf(query.area));
    }
  }, [view, query.area]);
  useEffect(() => void view?.setProjection(earth), [view, earth]);
  const map = catalog.baseMaps.find(({ name }) => name === base) ?? null;
  useEffect(() => {
    view?.setBase(map).catch((reason: unknown) => {
      model.look({ base: '' });
      Notification.error(
        trans.__(
          'The base map “%1” cannot be had: %2',
          map?.name,
          String(reason)
        ),
        // Without a time it would stand behind the bell only.
        { autoClose: 8000 }
      );
    });
  }, [view, model, trans, map]);
  // To the area if one is asked for, else to where the collection lies; not at each answer, which
  // would take the map away from under who moves it.
  useEffect(() => {
    const { area } = model.state.query;
    view?.fit(area ? boundsOf(area) : extent);
  }, [view, model, extent]);

  // Of a whole catalogue, to what was found first.
  const fitted = useRef('');
  useEffect(() => {
    const items = found?.items ?? [];
    const { catalog, collection, area } = model.state.query;
    if (view && items.length && !collection && fitted.current !== catalog) {
      fitted.current = catalog;
      if (!area) {
        view.fit(boundsOfRings(items.flatMap(item => item.rings)));
      }
    }
  }, [view, model, found]);

  return (
    // What is being drawn is given up from anywhere on the map, as in other programs with maps.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className="eolab-SearchMap"
      data-tool={tool}
      onKeyDown={event => {
        if (event.key === 'Escape' && tool !== 'none') {
          event.stopPropagation();
          model.setTool('none');
        }
      }}
    >
      <MapBar view={view} extent={extent} />
      <div
        className="eolab-SearchMap-view"
        ref={node}
        role="application"
        aria-label={trans.__(
          'Map of %1 footprints; arrow keys move it, plus and minus zoom',
          found?.items.length ?? 0
        )}
        // The keys of OpenLayers work on what has the focus.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      />
    </div>
  );
}
