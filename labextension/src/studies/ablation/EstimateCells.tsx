import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IEstimate } from '../../server/contract';
import { formatSigned, UNKNOWN } from '../../ui/format';
import { intervalWord } from './differences';
import { EstimateBar } from './EstimateBar';

interface IProps {
  estimate: IEstimate | null;
  /** Percent of a bar's width. */
  place: (value: number) => number;
  /** Whether there is more than chance; other bars are pale. */
  claimed: boolean;
}

/** An estimate in a row of a table: its bar, value and interval. */
export function EstimateCells(props: IProps): JSX.Element {
  const { estimate, place, claimed } = props;
  const trans = useTrans();
  return (
    <>
      <td className="eolab-Ablation-bar">
        <EstimateBar estimate={estimate} place={place} claimed={claimed} />
      </td>
      <td data-numeric>{estimate ? formatSigned(estimate.value) : UNKNOWN}</td>
      <td data-numeric data-wide>
        {intervalWord(estimate, trans) ?? UNKNOWN}
      </td>
    </>
  );
}
