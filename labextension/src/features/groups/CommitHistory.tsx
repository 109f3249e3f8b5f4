import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IGroupCommit, IGroupDetails } from '../../server/contract';
import { formatCount, formatMoment } from '../../ui/format';
import { CommitBars } from '../charts/CommitBars';
import { ValidationTable } from './ValidationTable';

interface IProps {
  group: IGroupDetails;
  /** As of which commit the group is read; null for the newest. */
  commit: IGroupCommit | null;
  onRead: (version: number | null) => void;
}

/** What came into a group and when, and how it met the expectations. */
export function CommitHistory(props: IProps): JSX.Element {
  const { group, commit, onRead } = props;
  const trans = useTrans();
  const newest = group.history[0]?.version;
  const { made_by: maker } = group;
  return (
    <div className="eolab-History">
      <CommitBars group={group} commit={commit} onRead={onRead} />
      <div
        className="eolab-Wide"
        role="region"
        aria-label={trans.__('Commits')}
        // What scrolls must be reachable with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <table className="eolab-Grid">
          <thead>
            <tr>
              <th scope="col">{trans.__('Commit')}</th>
              <th scope="col">{trans.__('Time')}</th>
              <th scope="col">{trans.__('Operation')}</th>
              <th scope="col">{trans.__('Rows')}</th>
              <th scope="col">{trans.__('New keys')}</th>
              <th scope="col">{trans.__('Rows after it')}</th>
              <th scope="col">{trans.__('Read')}</th>
            </tr>
          </thead>
          <tbody>
            {group.history.map(each => {
              const isShown = each.version === (commit?.version ?? newest);
              return (
                <tr key={each.version} data-chosen={isShown}>
                  <th scope="row">{each.version}</th>
                  <td>{formatMoment(each.time)}</td>
                  <td>{each.operation}</td>
                  <td data-numeric>{formatCount(each.rows)}</td>
                  <td data-numeric>{formatCount(each.new)}</td>
                  <td data-numeric>{formatCount(each.total)}</td>
                  <td>
                    <button
                      className="eolab-Link"
                      aria-pressed={isShown}
                      aria-label={trans.__(
                        'Read as of commit %1',
                        each.version
                      )}
                      onClick={() =>
                        onRead(each.version === newest ? null : each.version)
                      }
                    >
                      {isShown
                        ? trans.__('shown now')
                        : trans.__('read as of this')}
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <ValidationTable group={group} />
      {maker.code || maker.script ? (
        <>
          <h3 className="eolab-Heading">
            {maker.code
              ? trans.__('The cell of the newest commit')
              : trans.__('The script of the newest commit')}
          </h3>
          <pre
            className="eolab-Code"
            // What scrolls must be reachable with the keyboard.
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
          >
            {maker.code ?? maker.script}
          </pre>
        </>
      ) : null}
    </div>
  );
}
