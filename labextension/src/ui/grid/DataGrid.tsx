import { useVirtualizer, type Range } from '@tanstack/react-virtual';
import {
  Fragment,
  useCallback,
  useId,
  useImperativeHandle,
  useRef,
  useState,
  type HTMLAttributes,
  type JSX,
  type KeyboardEvent,
  type RefObject
} from 'react';

import { useSlots, type RowKey } from './useSlots';

/** A column's head. */
export interface IGridColumn {
  id: string;
  label: string;
  isNumeric?: boolean;
  /** How its rows are sorted by it; null where they cannot be. */
  sorted: 'ascending' | 'descending' | 'none' | null;
}

/** Where a row stands; a row that keeps all of it need not be drawn again. */
export interface IGridPlace {
  id: string;
  /** Among all rows. */
  index: number;
  /** Pixels from the top. */
  start: number;
  /** The columns' widths, where the style sheet does not say them. */
  template: string | undefined;
  isActive: boolean;
  /** Make it the row that keys act on; always the same function. */
  activate: (index: number) => void;
}

/** What can be asked of a grid. */
export interface IDataGrid {
  /** Bring a row into sight. */
  show: (index: number) => void;
  /** Go to the first row. */
  toTop: () => void;
}

interface IProps<Row> {
  /** Beside `eolab-DataGrid`. */
  className: string;
  label: string;
  rows: readonly Row[];
  keyOf: (row: Row) => RowKey;
  columns: readonly IGridColumn[];
  template?: string;
  onSort: (column: string) => void;
  /** The most pixels that it may take; the room that there is where it is absent. */
  maxHeight?: number | string;
  /** A row, usually a `GridRow`. */
  render: (row: Row, place: IGridPlace) => JSX.Element;
  /** What stands there where no row is. */
  none?: string;
  /** A key came to a row. */
  onMove?: (row: Row) => void;
  onEnter: (row: Row) => void;
  onSpace: (row: Row) => void;
  onLeave?: () => void;
  handle?: RefObject<IDataGrid | null>;
}

/** Pixels of a row. */
const ROW = 26;
/** Rows beyond the edge that are drawn where the grid is scrolled to, and where it comes from. */
const AHEAD = 4;
const BEHIND = 1;

/** Many rows, of which those in sight are drawn; sorted by a column's head, moved through by keys. */
export function DataGrid<Row>(props: IProps<Row>): JSX.Element {
  const { rows, keyOf, columns, template, handle } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const last = useRef({ start: 0, down: true });
  const rangeExtractor = useCallback((range: Range): number[] => {
    const { startIndex, endIndex, count } = range;
    if (startIndex !== last.current.start) {
      last.current = {
        start: startIndex,
        down: startIndex > last.current.start
      };
    }
    const [above, below] = last.current.down
      ? [BEHIND, AHEAD]
      : [AHEAD, BEHIND];
    const from = Math.max(0, startIndex - above);
    const to = Math.min(count - 1, endIndex + below);
    return Array.from({ length: to - from + 1 }, (_, place) => from + place);
  }, []);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    rangeExtractor
  });
  const inSight = virtual.getVirtualItems().flatMap(({ index, start }) => {
    const row = rows[index];
    return row === undefined ? [] : [{ row, key: keyOf(row), index, start }];
  });
  const slotOf = useSlots(inSight.map(each => each.key));
  useImperativeHandle(handle, () => ({
    show: index => virtual.scrollToIndex(index),
    toTop: () => {
      setActive(0);
      virtual.scrollToOffset(0);
    }
  }));

  const onKeyDown = (event: KeyboardEvent): void => {
    const height = scroller.current?.clientHeight ?? 0;
    const page = Math.max(1, Math.floor(height / ROW) - 2);
    const goals: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1
    };
    const goal = goals[event.key];
    // On a column's head these two sort.
    const isHere = event.target === event.currentTarget;
    const acted = rows[active];
    if (goal !== undefined) {
      const next = Math.max(0, Math.min(rows.length - 1, goal));
      const row = rows[next];
      setActive(next);
      virtual.scrollToIndex(next);
      if (row !== undefined) {
        props.onMove?.(row);
      }
    } else if (isHere && acted !== undefined && event.key === 'Enter') {
      props.onEnter(acted);
    } else if (isHere && acted !== undefined && event.key === ' ') {
      props.onSpace(acted);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      className={`eolab-DataGrid ${props.className}`}
      role="grid"
      aria-label={props.label}
      aria-multiselectable="true"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={
        rows[active] === undefined ? undefined : `${id}-${active}`
      }
      data-columns={columns.length}
      tabIndex={0}
      ref={scroller}
      onKeyDown={onKeyDown}
      onBlur={props.onLeave}
      onPointerLeave={props.onLeave}
      style={{ maxHeight: props.maxHeight }}
    >
      <div className="eolab-DataGrid-head" role="rowgroup">
        <div
          className="eolab-DataGrid-row"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: template }}
        >
          {columns.map(column => (
            <Head key={column.id} column={column} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <div
        className="eolab-DataGrid-body"
        role="rowgroup"
        style={{ height: virtual.getTotalSize() }}
      >
        {inSight.map(({ row, key, index, start }) => (
          <Fragment key={slotOf(key)}>
            {props.render(row, {
              id: `${id}-${index}`,
              index,
              start,
              template,
              isActive: index === active,
              activate: setActive
            })}
          </Fragment>
        ))}
      </div>
      {rows.length || props.none === undefined ? null : (
        <div role="rowgroup">
          <div role="row">
            <div role="gridcell" className="eolab-None">
              {props.none}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}

interface IHeadProps {
  column: IGridColumn;
  onSort: (column: string) => void;
}

function Head({ column, onSort }: IHeadProps): JSX.Element {
  const { id, label, sorted } = column;
  return (
    <div
      role="columnheader"
      className="eolab-DataGrid-cell"
      data-numeric={column.isNumeric}
      aria-sort={sorted ?? undefined}
    >
      {sorted === null ? (
        label
      ) : (
        <button title={label} onClick={() => onSort(id)}>
          <span>{label}</span>
          {sorted === 'none' ? null : (
            <span aria-hidden="true">
              {sorted === 'descending' ? '↓' : '↑'}
            </span>
          )}
        </button>
      )}
    </div>
  );
}

interface IRowProps extends HTMLAttributes<HTMLDivElement> {
  place: IGridPlace;
  isSelected: boolean;
  /** Attributes of its own (`data-best`). */
  [name: `data-${string}`]: unknown;
}

/** A row of a grid, with its cells inside. */
export function GridRow(props: IRowProps): JSX.Element {
  const { place, isSelected, children, ...rest } = props;
  return (
    <div
      {...rest}
      id={place.id}
      className="eolab-DataGrid-row"
      role="row"
      aria-rowindex={place.index + 2}
      aria-selected={isSelected}
      data-active={place.isActive}
      style={{
        gridTemplateColumns: place.template,
        height: ROW,
        transform: `translateY(${place.start}px)`
      }}
    >
      {children}
    </div>
  );
}
