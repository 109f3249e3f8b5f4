import { useVirtualizer, type Range } from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type JSX,
  type KeyboardEvent
} from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import type { IStudyClock } from '../model/studyClock';
import { TrialRow } from './TrialRow';
import {
  columnPlan,
  sortTrials,
  trialColumns,
  type IColumnPlan,
  type ISorting
} from './trialRows';
import { TrialsHead } from './TrialsHead';
import { useSlots } from './useSlots';

interface IProps {
  study: IStudySnapshot;
  /** The trials to show; all where it is absent. */
  trials?: readonly ITrial[];
  /** For trials that run. */
  clock: IStudyClock;
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  /** Columns that are left out. */
  hidden?: ReadonlySet<string>;
  /** The most pixels that the rows may take. */
  maxHeight: number | string;
}

const ROW = 26;
/** Rows beyond the edge that are drawn where the table is scrolled to, and where it comes from. */
const AHEAD = 4;
const BEHIND = 1;

/** The trials of a study: sorted by a click on a column, chosen by a click on a row or by keys. */
export function TrialsTable(props: IProps): JSX.Element {
  const { study, clock, chosen, onChoose, maxHeight } = props;
  const trials = props.trials ?? study.trials;
  const trans = useTrans();
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<ISorting>({
    column: 'n',
    descending: true
  });
  const [active, setActive] = useState(0);
  const { hidden } = props;
  // The same for each snapshot of a study, so that rows need not be drawn again.
  const plan = JSON.stringify(columnPlan(study));
  const columns = useMemo(
    () =>
      trialColumns(JSON.parse(plan) as IColumnPlan).filter(
        column => !hidden?.has(column.id)
      ),
    [plan, hidden]
  );
  const rows = useMemo(
    () => sortTrials(study, trials, sorting),
    [study, trials, sorting]
  );
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
  const items = virtual.getVirtualItems();
  const slotOf = useSlots(items.map(item => rows[item.index]?.number ?? -1));

  // Rows are drawn again only where something of theirs changed: this must stay the same.
  const choose = useRef(onChoose);
  useEffect(() => {
    choose.current = onChoose;
  }, [onChoose]);
  const pick = useCallback((index: number, trial: number): void => {
    setActive(index);
    choose.current(trial);
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
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
      End: rows.length - 1
    };
    const goal = goals[event.key];
    if (goal !== undefined) {
      const next = Math.max(0, Math.min(rows.length - 1, goal));
      setActive(next);
      virtual.scrollToIndex(next);
      event.preventDefault();
    } else if (
      (event.key === 'Enter' || event.key === ' ') &&
      event.target === event.currentTarget
    ) {
      const trial = rows[active];
      if (trial) {
        onChoose(trial.number);
      }
      event.preventDefault();
    } else {
      return;
    }
    event.stopPropagation();
  };

  const template = columns
    .map(column => WIDTHS[column.id] ?? (column.wide ? WIDE : PARAM))
    .join(' ');
  return (
    <div
      className="eolab-Trials"
      role="grid"
      aria-label={trans.__('Trials of %1', study.name)}
      aria-multiselectable="true"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={rows[active] ? `${id}-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      ref={scroller}
      style={{ maxHeight }}
    >
      <TrialsHead
        study={study}
        columns={columns}
        sorting={sorting}
        onSort={setSorting}
        template={template}
      />
      <div
        className="eolab-Trials-body"
        role="rowgroup"
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map(item => {
          const trial = rows[item.index];
          if (!trial) {
            return null;
          }
          return (
            <TrialRow
              key={slotOf(trial.number)}
              id={`${id}-${item.index}`}
              trial={trial}
              index={item.index}
              start={item.start}
              height={ROW}
              columns={columns}
              template={template}
              // The best run of an ablation is luck.
              isBest={
                study.kind !== 'ablation' && trial.number === study.best?.trial
              }
              isChosen={chosen.has(trial.number)}
              isActive={item.index === active}
              clock={clock}
              onPick={pick}
            />
          );
        })}
      </div>
      {rows.length ? null : (
        <div role="rowgroup">
          <div role="row">
            <div role="gridcell" className="eolab-None">
              {study.trials.length
                ? trans.__('No trial fits the filter.')
                : trans.__('No trial has started yet.')}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}

const PARAM = 'minmax(88px, 1fr)';
const WIDE = 'minmax(120px, 3fr)';

const WIDTHS: Record<string, string> = {
  n: '60px',
  state: '140px',
  value: 'minmax(84px, 1fr)',
  step: '64px',
  duration: '92px',
  worker: 'minmax(80px, 1fr)',
  error: 'minmax(160px, 3fr)'
};
