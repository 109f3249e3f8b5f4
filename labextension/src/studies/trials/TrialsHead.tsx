import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import type { ISorting, ITrialColumn } from './trialRows';

interface IProps {
  study: IStudySnapshot;
  columns: readonly ITrialColumn[];
  sorting: ISorting;
  onSort: (sorting: ISorting) => void;
  template: string;
}

/** The head of the trials table; a column's button sorts by it, the second time the other way. */
export function TrialsHead(props: IProps): JSX.Element {
  const { study, columns, sorting, onSort, template } = props;
  const trans = useTrans();
  return (
    <div className="eolab-Trials-head" role="rowgroup">
      <div
        className="eolab-Trials-row"
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
      >
        {columns.map(column => {
          const sorted = sorting.column === column.id;
          const word = columnWord(column, study.metric, trans);
          return (
            <div
              key={column.id}
              role="columnheader"
              className="eolab-Trials-cell"
              data-numeric={column.numeric}
              aria-sort={
                sorted
                  ? sorting.descending
                    ? 'descending'
                    : 'ascending'
                  : 'none'
              }
            >
              <button
                title={word}
                onClick={() =>
                  onSort({
                    column: column.id,
                    descending: sorted
                      ? !sorting.descending
                      : column.id === 'value' && study.direction === 'maximize'
                  })
                }
              >
                <span>{word}</span>
                {sorted ? (
                  <span aria-hidden="true">
                    {sorting.descending ? '↓' : '↑'}
                  </span>
                ) : null}
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What a column is called. */
export function columnWord(
  column: ITrialColumn,
  metric: string,
  trans: TranslationBundle
): string {
  if (column.param !== null) {
    return column.param;
  }
  switch (column.id) {
    case 'n':
      return trans.__('Trial');
    case 'state':
      return trans.__('State');
    case 'value':
      return metric;
    case 'step':
      return trans.__('Step');
    case 'duration':
      return trans.__('Time');
    case 'worker':
      return trans.__('Worker');
    default:
      return trans.__('Error');
  }
}
