import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useDeferredValue,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type JSX,
  type KeyboardEvent
} from 'react';

import { useTrans } from '../../../context/context';
import type { IFoundItem } from '../../../server/contract';
import { formatDay, formatValue, UNKNOWN } from '../../../ui/format';
import { useCatalog } from '../../model/catalogToken';
import { keyOf } from '../../model/searchModel';
import { useHovered, useNewAnswer, useSearch } from '../../model/useSearch';
import { startDrag } from './dragItem';
import { nextOrder, sortItems, type IOrder, type Key } from './sortItems';

const ROW = 26;

const NONE: readonly IFoundItem[] = [];

type Column = [
  label: string,
  read: (item: IFoundItem) => string,
  key: Key | null
];

/** What was found, row by row; one selection with the map and the pictures. */
export function ResultsTable(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { found, selected, opened }] = useSearch();
  const hovered = useHovered(model);
  // The map first: ten thousand rows may come a moment later.
  const answered = useDeferredValue(found)?.items ?? NONE;
  const [order, setOrder] = useState<IOrder | null>(null);
  const items = useMemo(() => sortItems(answered, order), [answered, order]);
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8
  });
  useNewAnswer(() => {
    setActive(0);
    virtual.scrollToOffset(0);
  });
  // What is opened elsewhere comes into sight here.
  useEffect(() => {
    const at = items.findIndex(item => keyOf(item) === opened);
    if (at >= 0) {
      virtual.scrollToIndex(at);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [opened]);
  const columns: Column[] = [
    [trans.__('Date'), item => formatDay(item.datetime), 'datetime'],
    [
      trans.__('Cloud %'),
      item =>
        item.cloud_cover === null ? UNKNOWN : formatValue(item.cloud_cover),
      'cloud_cover'
    ],
    [trans.__('Platform'), item => item.platform ?? UNKNOWN, 'platform'],
    [trans.__('Orbit'), item => item.orbit?.toString() ?? UNKNOWN, 'orbit'],
    [trans.__('Scene'), item => item.id, 'id'],
    ...(items.some(item => item.note)
      ? [[trans.__('Note'), (item: IFoundItem) => item.note, null] as Column]
      : [])
  ];
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) {
      return; // a column's head
    }
    const page = Math.max(
      1,
      Math.floor((scroller.current?.clientHeight ?? 0) / ROW) - 2
    );
    const goals: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: items.length - 1
    };
    const goal = goals[event.key];
    const item = items[active];
    if (goal !== undefined) {
      const next = Math.max(0, Math.min(items.length - 1, goal));
      const at = items[next];
      setActive(next);
      virtual.scrollToIndex(next);
      model.hover(at ? keyOf(at) : null);
    } else if (event.key === ' ' && item) {
      model.select(keyOf(item), true);
    } else if (event.key === 'Enter' && item) {
      model.open(keyOf(item));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="eolab-Results"
      role="grid"
      aria-label={trans.__('Scenes found')}
      aria-multiselectable="true"
      aria-rowcount={items.length + 1}
      aria-colcount={columns.length}
      data-columns={columns.length}
      aria-activedescendant={items[active] ? `${id}-${active}` : undefined}
      tabIndex={0}
      ref={scroller}
      onKeyDown={onKeyDown}
      onBlur={() => model.hover(null)}
      onPointerLeave={() => model.hover(null)}
    >
      <div role="rowgroup" className="eolab-Results-head">
        <div role="row" className="eolab-Results-row" aria-rowindex={1}>
          {columns.map(([label, , key]) => {
            const sorted =
              !order || order.key !== key
                ? 'none'
                : order.descending
                  ? 'descending'
                  : 'ascending';
            return (
              <span
                role="columnheader"
                key={label}
                aria-sort={key ? sorted : undefined}
              >
                {key ? (
                  <button
                    className="eolab-Results-sort"
                    onClick={() => {
                      setOrder(nextOrder(order, key));
                      setActive(0);
                      virtual.scrollToOffset(0);
                    }}
                  >
                    {label}
                    <span aria-hidden="true">
                      {sorted === 'none'
                        ? ''
                        : sorted === 'ascending'
                          ? ' ▲'
                          : ' ▼'}
                    </span>
                  </button>
                ) : (
                  label
                )}
              </span>
            );
          })}
        </div>
      </div>
      <div
        role="rowgroup"
        className="eolab-Results-body"
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index];
          if (!item) {
            return null;
          }
          const key = keyOf(item);
          return (
            // The grid has the focus, and its keys do what clicks do.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
            <div
              key={key}
              id={`${id}-${index}`}
              role="row"
              className="eolab-Results-row"
              aria-rowindex={index + 2}
              aria-selected={selected.has(key)}
              data-active={index === active}
              data-hovered={hovered === key}
              style={{ transform: `translateY(${start}px)`, height: ROW }}
              onPointerEnter={() => model.hover(key)}
              onPointerDown={event => startDrag(event, catalog, item)}
              onClick={event => {
                setActive(index);
                model.select(key, event.ctrlKey || event.metaKey);
                model.open(key);
              }}
            >
              {columns.map(([label, read]) => (
                <span role="gridcell" key={label} title={read(item)}>
                  {read(item)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
