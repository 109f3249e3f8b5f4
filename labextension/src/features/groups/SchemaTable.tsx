import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IGroupCommit, IGroupDetails } from '../../server/contract';
import { formatValue, UNKNOWN } from '../../ui/format';
import { Stale } from '../../ui/Stale';
import { describeColumn } from '../model/describeColumn';
import { useFeatures } from '../model/featuresToken';

interface IProps {
  group: IGroupDetails;
  commit: IGroupCommit | null;
}

/** The columns of a group: type, unit, what they are, and what they hold. */
export function SchemaTable({ group, commit }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const { data, error } = useResource(
    features.statistics(group.name, group.version, commit?.version ?? null)
  );
  const found = new Map(data?.statistics.map(each => [each.column, each]));
  return (
    <div className="eolab-Wide">
      <Stale error={error} />
      <table className="eolab-Grid">
        <caption className="eolab-Hidden">{trans.__('Columns')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Column')}</th>
            <th scope="col">{trans.__('Type')}</th>
            <th scope="col">{trans.__('Unit')}</th>
            <th scope="col">{trans.__('Description')}</th>
            <th scope="col">{trans.__('Missing')}</th>
            <th scope="col">{trans.__('Values')}</th>
          </tr>
        </thead>
        <tbody>
          {group.columns.map(column => {
            const about = found.get(column.name);
            return (
              <tr key={column.name}>
                <th scope="row">
                  {column.name}
                  {group.primary_key.includes(column.name) ? (
                    <span className="eolab-Badge">{trans.__('key')}</span>
                  ) : null}
                  {group.event_time === column.name ? (
                    <span className="eolab-Badge">{trans.__('time')}</span>
                  ) : null}
                  {group.geometry?.columns.includes(column.name) ? (
                    <span className="eolab-Badge" title={group.geometry.crs}>
                      {trans.__('place')}
                    </span>
                  ) : null}
                </th>
                <td className="eolab-mod-quiet">{column.type}</td>
                <td>{column.unit}</td>
                <td className="eolab-Grid-text">{column.description}</td>
                <td data-numeric>
                  {about
                    ? `${formatValue((100 * about.nulls) / Math.max(about.count, 1))} %`
                    : UNKNOWN}
                </td>
                <td className="eolab-Grid-text">
                  {about ? describeColumn(about, trans) : ''}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {Object.keys(group.expectations).length ? (
        <>
          <h3 className="eolab-Heading">{trans.__('Expectations')}</h3>
          <ul className="eolab-Expectations">
            {Object.entries(group.expectations).map(([name, condition]) => (
              <li key={name}>
                {name} <code>{condition}</code>
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  );
}
