import { useId, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { formatCount } from '../../ui/format';
import { saveText } from '../text/saveText';
import { trialsToCsv } from './csv';
import type { ITrialColumn } from './trialRows';
import { columnWord } from './columnWord';

interface IProps {
  study: IStudySnapshot;
  trials: readonly ITrial[];
  columns: readonly ITrialColumn[];
  hidden: ReadonlySet<string>;
  onHide: (hidden: ReadonlySet<string>) => void;
  filter: string;
  fault: string | null;
  onFilter: (filter: string) => void;
  brushed: boolean;
  onClear: () => void;
}

/** What the table shows: a filter, the columns, and a way out as CSV. */
export function TrialsBar(props: IProps): JSX.Element {
  const { study, trials, columns, hidden, onHide, filter, fault } = props;
  const trans = useTrans();
  const id = useId();
  return (
    <div className="eolab-TrialsBar">
      <label className="eolab-TrialsBar-filter">
        <span className="eolab-Hidden">{trans.__('Filter trials')}</span>
        <input
          type="search"
          value={filter}
          spellCheck={false}
          placeholder={trans.__('Filter: value > 0.8 and state == completed')}
          aria-invalid={fault !== null}
          aria-describedby={fault ? id : undefined}
          onChange={event => props.onFilter(event.target.value)}
        />
      </label>
      <span className="eolab-TrialsBar-count" role="status">
        {trials.length === study.trials.length
          ? trans._n(
              '1 trial',
              '%2 trials',
              trials.length,
              formatCount(trials.length)
            )
          : trans.__(
              '%1 of %2 trials',
              formatCount(trials.length),
              formatCount(study.trials.length)
            )}
      </span>
      {filter || props.brushed ? (
        <button className="eolab-Button" onClick={props.onClear}>
          {trans.__('Show all')}
        </button>
      ) : null}
      <details className="eolab-Menu">
        <summary className="eolab-Button">{trans.__('Columns')}</summary>
        <div className="eolab-Menu-body">
          {columns.slice(1).map(column => (
            <label key={column.id}>
              <input
                type="checkbox"
                checked={!hidden.has(column.id)}
                onChange={() => {
                  const next = new Set(hidden);
                  if (!next.delete(column.id)) {
                    next.add(column.id);
                  }
                  onHide(next);
                }}
              />
              {columnWord(column, study.metric, trans)}
            </label>
          ))}
        </div>
      </details>
      <button
        className="eolab-Button"
        onClick={() =>
          saveText(`${study.name}.csv`, 'text/csv', trialsToCsv(study, trials))
        }
      >
        {trans.__('Export CSV')}
      </button>
      {fault ? (
        <p className="eolab-TrialsBar-fault" id={id} role="alert">
          {fault}
        </p>
      ) : null}
    </div>
  );
}
