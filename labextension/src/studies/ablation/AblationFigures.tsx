import type { JSX } from 'react';

import { HeatMap } from '../../charts/HeatMap';
import { useTrans } from '../../context/context';
import type { IAblation } from '../../server/contract';

interface IProps {
  ablation: IAblation;
}

/** The drop of each other figure of the runs, of each class for example. */
export function AblationFigures({ ablation }: IProps): JSX.Element {
  const trans = useTrans();
  const drops = new Map(ablation.metrics.map(each => [each.name, each.drops]));
  return (
    <HeatMap
      caption={trans.__('Drop of the other metrics of the runs')}
      corner={trans.__('Variant')}
      rows={ablation.rows.slice(1).map(row => row.variant)}
      columns={ablation.metrics.map(each => each.name)}
      value={(row, column) => drops.get(column)?.[row] ?? null}
    />
  );
}
