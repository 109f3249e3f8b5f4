import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IAblation } from '../../server/contract';
import { scaleOf } from './EstimateBar';
import { EstimateCells } from './EstimateCells';
import { EstimateHead } from './EstimateHead';

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
      <EstimateHead row={trans.__('Part')} bar={trans.__('Worth')} />
      <tbody>
        {ablation.shapley.map(each => (
          <tr key={each.name}>
            <th scope="row">{each.name}</th>
            <EstimateCells
              estimate={each}
              place={place}
              claimed={(each.low ?? 0) * (each.high ?? 0) > 0}
            />
          </tr>
        ))}
      </tbody>
    </table>
  );
}
