import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IAblation } from '../shared/contract';
import { formatSigned, UNKNOWN } from '../shared/format';
import { intervalWord } from './differences';
import { EstimateBar, scaleOf } from './EstimateBar';

interface IProps {
  ablation: IAblation;
}

/** What each part brings on average over all orders of adding them. */
export function AblationShapley({ ablation }: IProps): JSX.Element {
  const trans = useTrans();
  const place = scaleOf(ablation.shapley);
  return (
    <table className="eolab-Ablation-bars">
      <caption>
        {trans.__(
          'Shapley values: what each part brings to %1 on average over all orders of adding them',
          ablation.metric
        )}
      </caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Part')}</th>
          <th scope="col">{trans.__('Worth')}</th>
          <th scope="col" data-numeric>
            {trans.__('Value')}
          </th>
          <th scope="col" data-numeric data-wide>
            {trans.__('Interval')}
          </th>
        </tr>
      </thead>
      <tbody>
        {ablation.shapley.map(each => (
          <tr key={each.name}>
            <th scope="row">{each.name}</th>
            <td className="eolab-Ablation-bar">
              <EstimateBar
                estimate={each}
                place={place}
                claimed={(each.low ?? 0) * (each.high ?? 0) > 0}
              />
            </td>
            <td data-numeric>{formatSigned(each.value)}</td>
            <td data-numeric data-wide>
              {intervalWord(each, trans) ?? UNKNOWN}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
