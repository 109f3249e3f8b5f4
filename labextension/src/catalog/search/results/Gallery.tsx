import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useRef, useState, type JSX } from 'react';

import { useTrans } from '../../../context/context';
import type { ICatalog } from '../../../server/contract';
import { formatDay } from '../../../ui/format';
import { Loading } from '../../../ui/Loading';
import { Notice } from '../../../ui/Notice';
import { Thumbnail } from '../../items/Thumbnail';
import { useCatalog } from '../../model/catalogToken';
import { keyOf } from '../../model/searchModel';
import { useHovered, useNewAnswer, useSearch } from '../../model/useSearch';
import { startDrag } from './dragItem';

const WIDE = 112;
const TALL = 146;

/** What was found, picture by picture. */
export function Gallery({ source }: { source: ICatalog }): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { found, selected, opened, loading }] = useSearch();
  const hovered = useHovered(model);
  // The map first: ten thousand rows may come a moment later.
  const items = useDeferredValue(found)?.items ?? [];
  const scroller = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const node = scroller.current;
    if (!node) {
      return;
    }
    const observer = new ResizeObserver(([entry]) =>
      setWidth(entry?.contentRect.width ?? 0)
    );
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  const across = Math.max(1, Math.floor(width / WIDE));
  const virtual = useVirtualizer({
    count: Math.ceil(items.length / across),
    getScrollElement: () => scroller.current,
    estimateSize: () => TALL,
    overscan: 2
  });
  useNewAnswer(() => virtual.scrollToOffset(0));
  // What is opened elsewhere comes into sight here.
  useEffect(() => {
    const at = items.findIndex(item => keyOf(item) === opened);
    if (at >= 0) {
      virtual.scrollToIndex(Math.floor(at / across));
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [opened]);
  return (
    <div className="eolab-Gallery" ref={scroller}>
      {items.length ? null : loading ? (
        <Loading />
      ) : (
        <Notice title={trans.__('No scene is found yet.')} />
      )}
      <ul
        className="eolab-Gallery-list"
        aria-label={trans.__('Previews of the scenes')}
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().flatMap(row =>
          items
            .slice(row.index * across, (row.index + 1) * across)
            .map((item, column) => {
              const key = keyOf(item);
              return (
                <li
                  key={key}
                  style={{
                    transform: `translate(${(column * width) / across}px, ${row.start}px)`,
                    width: width / across
                  }}
                >
                  <button
                    type="button"
                    className="eolab-Gallery-item"
                    aria-pressed={selected.has(key)}
                    data-hovered={hovered === key}
                    title={item.id}
                    onPointerEnter={() => model.hover(key)}
                    onPointerLeave={() => model.hover(null)}
                    onFocus={() => model.hover(key)}
                    onBlur={() => model.hover(null)}
                    onPointerDown={event => startDrag(event, catalog, item)}
                    onClick={event => {
                      model.select(key, event.ctrlKey || event.metaKey);
                      model.open(key);
                    }}
                  >
                    <Thumbnail source={source} item={item} />
                    <span>{formatDay(item.datetime)}</span>
                    <span className="eolab-mod-quiet">
                      {item.cloud_cover === null
                        ? (item.platform ?? '')
                        : trans.__('%1 % cloud', Math.round(item.cloud_cover))}
                    </span>
                  </button>
                </li>
              );
            })
        )}
      </ul>
    </div>
  );
}
