import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IColumnStatistics } from '../../server/contract';
import { formatCount, formatScalar, formatValue } from '../../ui/format';
import { formatCell } from '../model/columns';
import { outline, shapesOf } from './density';

interface IProps {
  column: string;
  unit: string;
  /** Of each commit; null where it had no such column. The first is filled. */
  series: readonly (IColumnStatistics | null)[];
  commits: readonly number[];
}

const WIDTH = 240;
const HEIGHT = 72;
/** How many of the commonest values. */
const TOP = 5;

/** One column's values, of several commits over each other. */
export function Distribution(props: IProps): JSX.Element {
  const { column, unit, series } = props;
  const trans = useTrans();
  const first = series[0];
  return (
    <figure className="eolab-Distribution">
      <figcaption>
        <span className="eolab-Name" title={column}>
          {column}
        </span>
        {unit ? <span className="eolab-mod-quiet">{unit}</span> : null}
        {first?.nulls ? (
          <span
            className="eolab-mod-quiet"
            title={trans.__('%1 of %2', first.nulls, first.count)}
          >
            {trans.__(
              '%1 % missing',
              formatValue((100 * first.nulls) / Math.max(first.count, 1))
            )}
          </span>
        ) : null}
      </figcaption>
      {series.some(each => each?.histogram) ? (
        <Steps {...props} />
      ) : (
        <Commonest {...props} />
      )}
      {first && first.mean !== null ? (
        <div className="eolab-Distribution-words">
          {trans.__(
            'mean %1, std %2',
            formatValue(first.mean),
            formatValue(first.std)
          )}
        </div>
      ) : null}
    </figure>
  );
}

function Steps({ column, series, commits }: IProps): JSX.Element {
  const trans = useTrans();
  const { low, high, shapes } = shapesOf(
    series.map(each => each?.histogram ?? null)
  );
  // Time stamps are told as text, and binned in seconds since the epoch.
  const type = typeof series[0]?.min === 'string' ? 'timestamp' : '';
  return (
    <>
      <svg
        viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={trans.__(
          'Histogram of %1, commits %2',
          column,
          commits.join(', ')
        )}
      >
        {shapes.map((shape, index) =>
          shape ? (
            <path
              key={commits[index]}
              data-series={index}
              d={outline(shape, WIDTH, HEIGHT)}
            />
          ) : null
        )}
      </svg>
      <div className="eolab-Distribution-ends" aria-hidden="true">
        <span>{formatCell(low, type)}</span>
        <span>{formatCell(high, type)}</span>
      </div>
    </>
  );
}

function Commonest({ column, series, commits }: IProps): JSX.Element {
  const trans = useTrans();
  const values = [
    ...new Set(
      series.flatMap(each => each?.top?.slice(0, TOP).map(([v]) => v) ?? [])
    )
  ].slice(0, TOP + 2);
  if (!values.length) {
    const some = series.some(each => each && each.count > each.nulls);
    return (
      <p className="eolab-None">
        {some
          ? trans.__('no distribution of this type')
          : trans.__('no values')}
      </p>
    );
  }
  return (
    <table className="eolab-Commonest">
      <caption className="eolab-Hidden">
        {trans.__('The commonest values of %1', column)}
      </caption>
      <tbody>
        {values.map(value => (
          <tr key={value}>
            <th scope="row" title={value}>
              {formatScalar(value)}
            </th>
            <td>
              {series.map((each, index) => {
                const count = each?.top?.find(([v]) => v === value)?.[1];
                if (!each || count === undefined) {
                  return null;
                }
                const share = (100 * count) / Math.max(each.count, 1);
                return (
                  <span
                    key={commits[index]}
                    className="eolab-Commonest-bar"
                    data-series={index}
                    style={{ width: `${share}%` }}
                    title={trans.__(
                      'commit %1: %2 rows',
                      commits[index] ?? '',
                      formatCount(count)
                    )}
                  />
                );
              })}
            </td>
            <td data-numeric>
              {formatCount(series[0]?.top?.find(([v]) => v === value)?.[1])}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
