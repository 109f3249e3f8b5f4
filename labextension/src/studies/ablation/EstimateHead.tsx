import type { JSX, ReactNode } from 'react';

import { useTrans } from '../../context/context';

interface IProps {
  /** What a row stands for. */
  row: string;
  /** What its bar shows. */
  bar: string;
  /** Further heads, for further cells. */
  children?: ReactNode;
}

/** The head of a table of estimates, over the cells of `EstimateCells`. */
export function EstimateHead({ row, bar, children }: IProps): JSX.Element {
  const trans = useTrans();
  return (
    <thead>
      <tr>
        <th scope="col">{row}</th>
        <th scope="col">{bar}</th>
        <th scope="col" data-numeric>
          {trans.__('Value')}
        </th>
        <th scope="col" data-numeric data-wide>
          {trans.__('Interval')}
        </th>
        {children}
      </tr>
    </thead>
  );
}
