import {
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
  type JSX
} from 'react';

import { useTrans } from '../../../context/context';
import type { IFoundItem } from '../../../server/contract';
import { DataGrid, GridRow, type IDataGrid } from '../../../ui/grid/DataGrid';
import { formatDay, formatValue, UNKNOWN } from '../../../ui/format';
import { useCatalog } from '../../model/catalogToken';
import { keyOf } from '../../model/searchModel';
import { useHovered, useNewAnswer, useSearch } from '../../model/useSearch';
import { startDrag } from './dragItem';
import { nextOrder, sortItems, type IOrder, type Key } from './sortItems';

const NONE: readonly IFoundItem[] = [];

type Column = [
  label: string,
  read: (item: IFoundItem) => string,
  key: Key | 'note'
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
  const grid = useRef<IDataGrid>(null);
  useNewAnswer(() => grid.current?.toTop());
  // What is opened elsewhere comes into sight here.
  useEffect(() => {
    const at = items.findIndex(item => keyOf(item) === opened);
    if (at >= 0) {
      grid.current?.show(at);
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
      ? [[trans.__('Note'), (item: IFoundItem) => item.note, 'note'] as Column]
      : [])
  ];
  return (
    <DataGrid
      className="eolab-Results"
      label={trans.__('Scenes found')}
      rows={items}
      keyOf={keyOf}
      columns={columns.map(([label, , id]) => ({
        id,
        label,
        sorted:
          id === 'note'
            ? null
            : order?.key !== id
              ? 'none'
              : order.descending
                ? 'descending'
                : 'ascending'
      }))}
      onSort={id => {
        setOrder(nextOrder(order, id as Key));
        grid.current?.toTop();
      }}
      onMove={item => model.hover(keyOf(item))}
      onEnter={item => model.open(keyOf(item))}
      onSpace={item => model.select(keyOf(item), true)}
      onLeave={() => model.hover(null)}
      handle={grid}
      render={(item, place) => {
        const key = keyOf(item);
        return (
          <GridRow
            place={place}
            isSelected={selected.has(key)}
            data-hovered={hovered === key}
            onPointerEnter={() => model.hover(key)}
            onPointerDown={event => startDrag(event, catalog, item)}
            onClick={event => {
              place.activate(place.index);
              model.select(key, event.ctrlKey || event.metaKey);
              model.open(key);
            }}
          >
            {columns.map(([label, read]) => (
              <div
                role="gridcell"
                className="eolab-DataGrid-cell"
                key={label}
                title={read(item)}
              >
                {read(item)}
              </div>
            ))}
          </GridRow>
        );
      }}
    />
  );
}
