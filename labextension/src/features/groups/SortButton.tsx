import type { JSX } from 'react';

interface IProps {
  column: string;
  sorted: 'none' | 'ascending' | 'descending';
  onSort: () => void;
}

/** The head of a column by which a table can be sorted. */
export function SortButton({ column, sorted, onSort }: IProps): JSX.Element {
  return (
    <th scope="col" aria-sort={sorted}>
      <button className="eolab-Sort" onClick={onSort}>
        {column}
        <span aria-hidden="true">
          {sorted === 'none' ? '' : sorted === 'ascending' ? ' ▲' : ' ▼'}
        </span>
      </button>
    </th>
  );
}
