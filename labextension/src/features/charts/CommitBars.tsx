import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IGroupCommit, IGroupDetails } from '../../server/contract';
import { formatCount, formatMoment } from '../../ui/format';

interface IProps {
  group: IGroupDetails;
  commit: IGroupCommit | null;
  onRead: (version: number | null) => void;
}

/** The newest of them; the table below has all. */
const MOST = 60;

/**
 * Commits from the oldest to the newest, as high as the group had rows after each.
 *
 * They stand side by side rather than by the clock: an afternoon's ten commits would be one bar in
 * a year.
 */
export function CommitBars({ group, commit, onRead }: IProps): JSX.Element {
  const trans = useTrans();
  const shown = group.history.slice(0, MOST).reverse();
  const newest = shown[shown.length - 1];
  const most = Math.max(...shown.map(each => each.total), 1);
  const current = commit?.version ?? newest?.version;
  return (
    <div className="eolab-CommitBars">
      <ol aria-label={trans.__('Time line of commits')}>
        {shown.map(each => (
          <li key={each.version}>
            <button
              aria-pressed={each.version === current}
              title={trans.__(
                'Commit %1, %2: %3, %4 rows after it',
                each.version,
                formatMoment(each.time),
                each.operation,
                formatCount(each.total)
              )}
              aria-label={trans.__('Time line: commit %1', each.version)}
              onClick={() =>
                onRead(each.version === newest?.version ? null : each.version)
              }
            >
              <span
                className="eolab-CommitBars-bar"
                data-operation={each.operation}
                style={{ height: `${4 + (52 * each.total) / most}px` }}
              />
            </button>
          </li>
        ))}
      </ol>
      <div className="eolab-Distribution-ends" aria-hidden="true">
        <span>{shown[0] ? formatMoment(shown[0].time) : ''}</span>
        <span>
          {newest && shown.length > 1 ? formatMoment(newest.time) : ''}
        </span>
      </div>
    </div>
  );
}
