import { useMemo, useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IGroupCommit, IGroupDetails } from '../../server/contract';
import { formatMoment } from '../../ui/format';
import { Distributions } from './Distributions';

interface IProps {
  group: IGroupDetails;
  /** As of which commit the group is read; null for the newest. */
  commit: IGroupCommit | null;
}

/** As many as have colours that can be told apart. */
const MOST = 4;

/** What each column holds, of several commits over each other. */
export function Histograms({ group, commit }: IProps): JSX.Element {
  const trans = useTrans();
  const [picked, setPicked] = useState<readonly number[] | null>(null);
  const [wanted, setWanted] = useState('');
  const first = commit?.version ?? group.history[0]?.version ?? 0;
  // What is read comes first, and is filled; before somebody chooses, the commit before it beside.
  const shown = useMemo(() => {
    const before = group.history.filter(
      each => each.version < first && each.rows > 0
    );
    return picked
      ? [...new Set([first, ...picked])]
      : [first, ...before.slice(0, 1).map(each => each.version)];
  }, [picked, first, group.history]);
  const toggle = (version: number): void =>
    setPicked(
      shown.includes(version)
        ? shown.filter(each => each !== version)
        : [...shown, version]
    );
  return (
    <div className="eolab-Histograms">
      <div className="eolab-Histograms-bar">
        <ul
          className="eolab-Series-list"
          aria-label={trans.__('Commits that are shown')}
        >
          {shown.map((version, series) => (
            <li key={version} data-series={series}>
              <span className="eolab-Series-mark" aria-hidden="true" />
              {trans.__('commit %1', version)}
            </li>
          ))}
        </ul>
        <details className="eolab-Menu">
          <summary className="eolab-Button">{trans.__('Commits')}</summary>
          <div className="eolab-Menu-body">
            {group.history.map(each => (
              <label key={each.version}>
                <input
                  type="checkbox"
                  checked={shown.includes(each.version)}
                  disabled={
                    each.version === first ||
                    (!shown.includes(each.version) && shown.length >= MOST)
                  }
                  onChange={() => toggle(each.version)}
                />
                {trans.__(
                  'commit %1, %2, %3',
                  each.version,
                  each.operation,
                  formatMoment(each.time)
                )}
              </label>
            ))}
          </div>
        </details>
        <input
          type="search"
          placeholder={trans.__('Find columns')}
          aria-label={trans.__('Find columns')}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
      </div>
      <Distributions group={group} commits={shown} wanted={wanted} />
    </div>
  );
}
