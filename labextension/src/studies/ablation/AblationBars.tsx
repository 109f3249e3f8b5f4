import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IAblation } from '../../server/contract';
import { formatCount, formatDuration, formatValue } from '../../ui/format';
import { scaleOf } from './EstimateBar';
import { EstimateCells } from './EstimateCells';
import { EstimateHead } from './EstimateHead';

interface IProps {
  ablation: IAblation;
  variant: string | null;
  onVariant: (variant: string | null) => void;
}

/** One bar a variant with its interval, the largest drop first; a click shows its runs. */
export function AblationBars(props: IProps): JSX.Element {
  const { ablation, variant, onVariant } = props;
  const trans = useTrans();
  const [baseline, ...rows] = ablation.rows;
  const place = scaleOf(rows.map(row => row.drop));
  const percent = Math.round(100 * ablation.level);
  const counted = rows.some(row => row.cost.parameters !== undefined);
  return (
    <table className="eolab-Ablation-bars">
      <caption>
        {trans.__(
          'Drop of %1 against the baseline (%2); whiskers: %3 % intervals',
          ablation.metric,
          formatValue(baseline?.mean),
          percent
        )}
      </caption>
      <EstimateHead row={trans.__('Variant')} bar={trans.__('Drop')}>
        <th scope="col" data-numeric data-wide>
          {trans.__('p (Holm)')}
        </th>
        <th scope="col" data-numeric data-wide>
          {ablation.metric}
        </th>
        {counted ? (
          <th scope="col" data-numeric data-wide>
            {trans.__('Parameters')}
          </th>
        ) : null}
        <th scope="col" data-numeric data-wide>
          {trans.__('Time')}
        </th>
        <th scope="col" data-numeric>
          {trans.__('Runs')}
        </th>
      </EstimateHead>
      <tbody>
        {rows.map(row => (
          <tr key={row.variant} title={row.words ?? undefined}>
            <th scope="row">
              <button
                className="eolab-Link"
                aria-pressed={row.variant === variant}
                onClick={() =>
                  onVariant(row.variant === variant ? null : row.variant)
                }
              >
                {row.variant}
              </button>
            </th>
            <EstimateCells
              estimate={row.drop}
              place={place}
              claimed={(row.corrected ?? 1) <= 1 - ablation.level}
            />
            <td data-numeric data-wide>
              {formatValue(row.corrected)}
            </td>
            <td data-numeric data-wide>
              {row.std === null
                ? formatValue(row.mean)
                : `${formatValue(row.mean)} ± ${formatValue(row.std)}`}
            </td>
            {counted ? (
              <td data-numeric data-wide>
                {formatCount(row.cost.parameters)}
              </td>
            ) : null}
            <td data-numeric data-wide>
              {formatDuration(row.seconds)}
            </td>
            <td data-numeric>{formatCount(row.runs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
