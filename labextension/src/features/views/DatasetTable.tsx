import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IFeatureView } from '../../server/contract';
import { formatCount, formatMoment, UNKNOWN } from '../../ui/format';
import { Notice } from '../../ui/Notice';

interface IProps {
  view: IFeatureView;
}

/** The splits of a view that were kept. */
export function DatasetTable({ view }: IProps): JSX.Element {
  const trans = useTrans();
  if (!view.datasets.length) {
    return (
      <Notice
        title={trans.__('No training dataset is saved yet.')}
        text={trans.__('Split the view and save the result:')}
        code={
          'split = view.train_validation_test_split(seed=0)\n' +
          'view.create_training_dataset(split)'
        }
      />
    );
  }
  return (
    <div className="eolab-Wide">
      <table className="eolab-Grid">
        <thead>
          <tr>
            <th scope="col">{trans.__('Version')}</th>
            <th scope="col">{trans.__('Created')}</th>
            <th scope="col">{trans.__('Samples')}</th>
            <th scope="col">{trans.__('Split')}</th>
            <th scope="col">{trans.__('Description')}</th>
          </tr>
        </thead>
        <tbody>
          {view.datasets.map(each => (
            <tr key={each.version}>
              <th scope="row">{each.version}</th>
              <td>{each.created ? formatMoment(each.created) : UNKNOWN}</td>
              <td>
                {Object.entries(each.parts ?? {})
                  .map(([part, count]) => `${part} ${formatCount(count)}`)
                  .join(' · ') || UNKNOWN}
              </td>
              <td className="eolab-Grid-text">{each.by}</td>
              <td className="eolab-Grid-text">
                {each.fault ?? each.description}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
