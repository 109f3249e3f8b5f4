import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IAblation, IAblationRow } from '../shared/contract';
import {
  formatCount,
  formatSigned,
  formatValue,
  UNKNOWN
} from '../shared/format';
import { intervalWord } from './differences';

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
  const ends = rows.flatMap(({ drop }) =>
    drop ? [drop.value, drop.low ?? drop.value, drop.high ?? drop.value] : []
  );
  const low = Math.min(0, ...ends);
  const width = Math.max(0, ...ends) - low || 1;
  const place = (value: number): number => (100 * (value - low)) / width;
  const percent = Math.round(100 * ablation.level);
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
      <thead>
        <tr>
          <th scope="col">{trans.__('Variant')}</th>
          <th scope="col">{trans.__('Drop')}</th>
          <th scope="col" data-numeric>
            {trans.__('Value')}
          </th>
          <th scope="col" data-numeric data-wide>
            {trans.__('Interval')}
          </th>
          <th scope="col" data-numeric data-wide>
            {trans.__('p (Holm)')}
          </th>
          <th scope="col" data-numeric data-wide>
            {ablation.metric}
          </th>
          <th scope="col" data-numeric>
            {trans.__('Runs')}
          </th>
        </tr>
      </thead>
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
            <td className="eolab-Ablation-bar">
              <Bar
                row={row}
                place={place}
                claimed={(row.corrected ?? 1) <= 1 - ablation.level}
              />
            </td>
            <td data-numeric>
              {row.drop ? formatSigned(row.drop.value) : UNKNOWN}
            </td>
            <td data-numeric data-wide>
              {intervalWord(row.drop, trans) ?? UNKNOWN}
            </td>
            <td data-numeric data-wide>
              {formatValue(row.corrected)}
            </td>
            <td data-numeric data-wide>
              {row.spread === null
                ? formatValue(row.mean)
                : `${formatValue(row.mean)} ± ${formatValue(row.spread)}`}
            </td>
            <td data-numeric>{formatCount(row.runs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface IBarProps {
  row: IAblationRow;
  /** Percent of the width. */
  place: (value: number) => number;
  /** Whether the corrected test says that there is a difference. */
  claimed: boolean;
}

function Bar({ row, place, claimed }: IBarProps): JSX.Element | null {
  const { drop } = row;
  if (!drop) {
    return null;
  }
  const zero = place(0);
  const at = place(drop.value);
  const left = Math.min(zero, at);
  const percent = (value: number): string => `${value}%`;
  return (
    <span className="eolab-Ablation-track" aria-hidden="true">
      <span
        className="eolab-Ablation-fill"
        data-claimed={claimed}
        style={{ left: percent(left), width: percent(Math.abs(at - zero)) }}
      />
      <span className="eolab-Ablation-zero" style={{ left: percent(zero) }} />
      {drop.low === null || drop.high === null ? null : (
        <span
          className="eolab-Ablation-whisker"
          style={{
            left: percent(place(drop.low)),
            width: percent(place(drop.high) - place(drop.low))
          }}
        />
      )}
    </span>
  );
}
