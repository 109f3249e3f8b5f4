import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import { labelOf, parseLabel } from '../../context/names';
import type { IFeatureGroup, IFeatureView } from '../../server/contract';

interface IProps {
  view: IFeatureView;
  groups: readonly IFeatureGroup[];
}

/** The features of a view and where each comes from. */
export function ViewColumns({ view, groups }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  return (
    <div className="eolab-Wide">
      <table className="eolab-Grid">
        <thead>
          <tr>
            <th scope="col">{trans.__('Feature')}</th>
            <th scope="col">{trans.__('Group')}</th>
            <th scope="col">{trans.__('Type')}</th>
            <th scope="col">{trans.__('Unit')}</th>
            <th scope="col">{trans.__('Description')}</th>
          </tr>
        </thead>
        <tbody>
          {view.columns.map(feature => {
            const group = groups.find(each => labelOf(each) === feature.group);
            const column = group?.columns.find(
              each => each.name === feature.column
            );
            const which = parseLabel(feature.group);
            return (
              <tr key={feature.name}>
                <th scope="row">{feature.name}</th>
                <td>
                  <button
                    className="eolab-Link"
                    onClick={() => {
                      if (which) {
                        void commands.execute(CommandIDs.openFeatureGroup, {
                          ...which
                        });
                      }
                    }}
                  >
                    {feature.group}
                  </button>
                </td>
                <td className="eolab-mod-quiet">{column?.type}</td>
                <td>{column?.unit}</td>
                <td className="eolab-Grid-text">{column?.description}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
