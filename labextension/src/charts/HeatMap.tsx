import type { JSX } from 'react';

import { formatSigned } from '../ui/format';

interface IProps {
  caption: string;
  /** What stands above the names of the rows. */
  corner: string;
  rows: readonly string[];
  columns: readonly string[];
  value: (row: string, column: string) => number | null;
  title?: (row: string, column: string) => string | undefined;
  /** The value that has the full colour; the largest of all where it is absent. */
  most?: number;
  /** With its sign and four digits where it is absent. */
  format?: (value: number) => string;
}

/** A table of signed values, the stronger the larger: one colour above zero, another below. */
export function HeatMap(props: IProps): JSX.Element {
  const { caption, corner, rows, columns, value, title } = props;
  const all = rows.flatMap(row =>
    columns.map(column => Math.abs(value(row, column) ?? 0))
  );
  const most = props.most ?? Math.max(...all, 1e-12);
  return (
    <div className="eolab-HeatMap">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{corner}</th>
            {columns.map(column => (
              <th scope="col" key={column} title={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row}>
              <th scope="row" title={row}>
                {row}
              </th>
              {columns.map(column => {
                const here = value(row, column);
                return (
                  <td
                    key={column}
                    title={title?.(row, column)}
                    data-sign={
                      here === null ? 'none' : here > 0 ? 'up' : 'down'
                    }
                    style={
                      here === null
                        ? undefined
                        : {
                            ['--eolab-strength' as string]: `${Math.round(
                              (45 * Math.abs(here)) / most
                            )}%`
                          }
                    }
                  >
                    {here === null ? '' : (props.format ?? formatSigned)(here)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
