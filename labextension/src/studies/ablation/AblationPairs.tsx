import type { JSX } from 'react';

import { HeatMap } from '../../charts/HeatMap';
import { useTrans } from '../../context/context';
import type { IAblation } from '../../server/contract';
import { formatSigned } from '../../ui/format';
import { intervalWord } from './differences';

interface IProps {
  ablation: IAblation;
}

/** How much more is lost without both of two parts than without each, added up. */
export function AblationPairs({ ablation }: IProps): JSX.Element {
  const trans = useTrans();
  const names = [...new Set(ablation.pairs.flatMap(({ a, b }) => [a, b]))];
  const known = new Map(
    ablation.pairs.flatMap(pair => [
      [`${pair.a}\n${pair.b}`, pair] as const,
      [`${pair.b}\n${pair.a}`, pair] as const
    ])
  );
  return (
    <HeatMap
      caption={trans.__(
        'Together: what is lost beyond the two alone. Positive: they can replace each other; negative: neither helps without the other'
      )}
      corner={trans.__('Without')}
      rows={names}
      columns={names}
      value={(row, column) => known.get(`${row}\n${column}`)?.value ?? null}
      title={(row, column) => {
        const pair = known.get(`${row}\n${column}`);
        const word = intervalWord(pair, trans);
        return pair && word
          ? trans.__(
              '%1 and %2: %3, %4',
              row,
              column,
              formatSigned(pair.value),
              word
            )
          : undefined;
      }}
    />
  );
}
