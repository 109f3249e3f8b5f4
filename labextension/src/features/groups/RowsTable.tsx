import { useEffect, useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import { isoOfMicroseconds } from '../../context/names';
import { ApiError } from '../../server/apiError';
import type {
  IGroupCommit,
  IGroupDetails,
  IGroupRows
} from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { formatCount } from '../../ui/format';
import { Loading } from '../../ui/Loading';
import { formatCell } from '../model/columns';
import { useFeatures } from '../model/featuresToken';
import { SortButton } from './SortButton';

interface IProps {
  group: IGroupDetails;
  commit: IGroupCommit | null;
}

const LIMIT = 50;

interface IOrder {
  sort: string | null;
  descending: boolean;
}

/** The rows of a group, a page at a time, sorted by a click on a column. */
export function RowsTable({ group, commit }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const [order, setOrder] = useState<IOrder>({ sort: null, descending: false });
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<IGroupRows | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [tries, setTries] = useState(0);
  const { name, version } = group;
  const asOf = commit ? isoOfMicroseconds(commit.ingested) : null;
  // What came in since, and what was known before, have other rows.
  const state = commit?.version ?? group.commits;
  const total = commit ? commit.total : group.rows;
  const start = offset < total ? offset : 0;

  useEffect(() => {
    let wanted = true;
    features
      .rows(name, version, { offset: start, limit: LIMIT, ...order, asOf })
      .then(
        found => {
          if (wanted) {
            setPage(found);
            setError(null);
          }
        },
        (thrown: unknown) => {
          if (wanted) {
            setError(ApiError.from(thrown));
          }
        }
      );
    return () => {
      wanted = false;
    };
  }, [features, name, version, order, start, asOf, state, tries]);

  if (error) {
    return <Failure error={error} onRetry={() => setTries(tries + 1)} />;
  }
  if (!page) {
    return <Loading />;
  }
  const types = new Map(group.columns.map(each => [each.name, each.type]));
  const end = Math.min(start + LIMIT, page.total);
  const last = Math.floor(Math.max(page.total - 1, 0) / LIMIT) * LIMIT;
  return (
    <div className="eolab-Rows">
      <div
        className="eolab-Wide"
        role="region"
        aria-label={trans.__('Rows of %1', name)}
        // What scrolls must be reachable with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <table className="eolab-Grid">
          <thead>
            <tr>
              {page.columns.map(column => (
                <SortButton
                  key={column}
                  column={column}
                  sorted={
                    order.sort !== column
                      ? 'none'
                      : order.descending
                        ? 'descending'
                        : 'ascending'
                  }
                  onSort={() => {
                    setOffset(0);
                    setOrder({
                      sort: column,
                      descending: order.sort === column && !order.descending
                    });
                  }}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, number) => (
              <tr key={start + number}>
                {row.map((value, index) => {
                  const column = page.columns[index] ?? '';
                  const type = types.get(column) ?? '';
                  return (
                    <td
                      key={column}
                      data-numeric={
                        typeof value === 'number' &&
                        !/^(timestamp|date)/.test(type)
                          ? true
                          : undefined
                      }
                      title={typeof value === 'string' ? value : undefined}
                    >
                      {formatCell(value, type)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <nav className="eolab-Pager" aria-label={trans.__('Pages of rows')}>
        {(
          [
            [trans.__('First'), 0, start > 0],
            [trans.__('Previous'), start - LIMIT, start > 0],
            [trans.__('Next'), start + LIMIT, end < page.total],
            [trans.__('Last'), last, end < page.total]
          ] as const
        ).map(([word, goal, possible]) => (
          <button
            key={word}
            className="eolab-Button"
            aria-disabled={!possible}
            onClick={() => {
              if (possible) {
                setOffset(Math.max(0, goal));
              }
            }}
          >
            {word}
          </button>
        ))}
        <span role="status">
          {page.total
            ? trans.__(
                'Rows %1 to %2 of %3',
                formatCount(start + 1),
                formatCount(end),
                formatCount(page.total)
              )
            : trans.__('No rows')}
        </span>
      </nav>
    </div>
  );
}
