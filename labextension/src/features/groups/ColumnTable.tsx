import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IFeatureGroup } from '../../server/contract';

interface IProps {
  group: IFeatureGroup;
}

/** The schema of a feature group. */
export function ColumnTable({ group }: IProps): JSX.Element {
  const trans = useTrans();
  return (
    <table className="eolab-Table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Column')}</th>
          <th scope="col">{trans.__('Type')}</th>
        </tr>
      </thead>
      <tbody>
        {group.columns.map(column => (
          <tr
            key={column.name}
            title={[column.name, column.description, column.unit]
              .filter(Boolean)
              .join(' · ')}
          >
            <td>
              {column.name}
              {group.primary_key.includes(column.name) ? (
                <span className="eolab-Badge">{trans.__('key')}</span>
              ) : null}
              {group.event_time === column.name ? (
                <span className="eolab-Badge">{trans.__('time')}</span>
              ) : null}
            </td>
            <td className="eolab-mod-quiet">{column.type}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
