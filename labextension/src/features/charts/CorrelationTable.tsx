import { useMemo, type JSX } from 'react';

import { HeatMap } from '../../charts/HeatMap';
import { useTrans } from '../../context/context';
import type { IGroupDetails } from '../../server/contract';
import { formatCount, formatSigned } from '../../ui/format';
import { Notice } from '../../ui/Notice';

interface IProps {
  group: IGroupDetails;
}

/** How the columns of numbers go together, at the newest commit. */
export function CorrelationTable({ group }: IProps): JSX.Element {
  const trans = useTrans();
  const { columns, values, rows } = group.correlations;
  const places = useMemo(
    () => new Map(columns.map((column, index) => [column, index])),
    [columns]
  );
  if (columns.length < 2) {
    return (
      <Notice
        title={trans.__('There are not two columns of numbers to compare.')}
      />
    );
  }
  return (
    <div
      className="eolab-Wide"
      role="region"
      aria-label={trans.__('Correlations')}
      // What scrolls must be reachable with the keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <HeatMap
        caption={trans.__(
          'Pearson’s coefficients over %1 rows of the newest commit',
          formatCount(rows)
        )}
        corner={trans.__('Column')}
        rows={columns}
        columns={columns}
        most={1}
        format={value => formatSigned(Number(value.toFixed(2)))}
        value={(row, column) =>
          values[places.get(row) ?? -1]?.[places.get(column) ?? -1] ?? null
        }
        title={(row, column) => `${row} · ${column}`}
      />
    </div>
  );
}
