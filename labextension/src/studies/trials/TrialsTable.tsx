import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type JSX
} from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { DataGrid } from '../../ui/grid/DataGrid';
import type { IStudyClock } from '../model/studyClock';
import { columnWord } from './columnWord';
import { TrialRow } from './TrialRow';
import {
  columnPlan,
  sortTrials,
  trialColumns,
  type IColumnPlan,
  type ISorting
} from './trialRows';

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

/** The trials of a study: sorted by a click on a column, chosen by a click on a row or by keys. */
export function TrialsTable(props: IProps): JSX.Element {
  const { study, clock, chosen, onChoose, maxHeight } = props;
  const trials = props.trials ?? study.trials;
  const trans = useTrans();
  const [sorting, setSorting] = useState<ISorting>({
    column: 'n',
    descending: true
  });
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
  // Rows are drawn again only where something of theirs changed: this must stay the same.
  const choose = useRef(onChoose);
  useEffect(() => {
    choose.current = onChoose;
  }, [onChoose]);
  const pick = useCallback((trial: number): void => choose.current(trial), []);
  const onSort = (column: string): void =>
    setSorting({
      column,
      descending:
        sorting.column === column
          ? !sorting.descending
          : column === 'value' && study.direction === 'maximize'
    });

  const template = columns
    .map(column => WIDTHS[column.id] ?? (column.wide ? WIDE : PARAM))
    .join(' ');
  return (
    <DataGrid
      className="eolab-Trials"
      label={trans.__('Trials of %1', study.name)}
      rows={rows}
      keyOf={numberOf}
      columns={columns.map(column => ({
        id: column.id,
        label: columnWord(column, study.metric, trans),
        isNumeric: column.numeric,
        sorted:
          sorting.column !== column.id
            ? 'none'
            : sorting.descending
              ? 'descending'
              : 'ascending'
      }))}
      template={template}
      onSort={onSort}
      maxHeight={maxHeight}
      onEnter={trial => onChoose(trial.number)}
      onSpace={trial => onChoose(trial.number)}
      none={
        study.trials.length
          ? trans.__('No trial fits the filter.')
          : trans.__('No trial has started yet.')
      }
      render={(trial, place) => (
        <TrialRow
          {...place}
          trial={trial}
          columns={columns}
          // The best run of an ablation is luck.
          isBest={
            study.kind !== 'ablation' && trial.number === study.best?.trial
          }
          isChosen={chosen.has(trial.number)}
          clock={clock}
          onPick={pick}
        />
      )}
    />
  );
}

function numberOf(trial: ITrial): number {
  return trial.number;
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
