import { useMemo, type JSX } from 'react';
import type { AlignedData, default as UPlot } from 'uplot';

import { Chart, type IDrawing } from '../../charts/Chart';
import { useTrans } from '../../context/context';
import type { IBand, IStudySnapshot, ITrial } from '../../server/contract';
import { formatCount, formatValue } from '../../ui/format';
import type { IPalette } from '../../ui/theme';
import { alignCurves, curvesToDraw, mediansByStep } from './histories';
import { trialTip } from './trialTip';

interface IProps {
  study: IStudySnapshot;
  /** The trials to draw; all where it is absent. */
  trials?: readonly ITrial[];
  /** Where trials are stopped early. */
  bounds: IBand['bounds'];
  chosen: ReadonlySet<number>;
  onChoose?: (trial: number) => void;
  height: number;
}

/** More lines than this only make the picture darker. */
export const LIMIT = 200;

/** The metric over the steps, one line a trial. */
export function CurvesChart(props: IProps): JSX.Element {
  const { study, bounds, chosen, onChoose, height } = props;
  const trans = useTrans();
  const wanted = props.trials ?? study.trials;
  const trials = useMemo(
    () => curvesToDraw(study, wanted, chosen, LIMIT),
    [study, wanted, chosen]
  );
  const done = `${study.created} ${study.counts.completed}`;
  const medians = useMemo(
    () => mediansByStep(study.trials),
    // Only completed trials count: they need not be gone through for each report.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [done]
  );
  const drawing = useMemo(
    () => draw(study, trials, medians, bounds, chosen, trans.__('step')),
    [study, trials, medians, bounds, chosen, trans]
  );
  return (
    <Chart
      drawing={drawing}
      label={trans.__(
        'Learning curves of %1 trials, %2 by step',
        trials.length,
        study.metric
      )}
      height={height}
      onPick={series => {
        const trial = trials[series - 1];
        if (trial) {
          onChoose?.(trial.number);
        }
      }}
      tip={(series, index) => {
        const trial = trials[series - 1];
        return trial
          ? trialTip(study, trial, trans, [
              [trans.__('step'), formatCount(drawing.data[0][index])],
              [study.metric, formatValue(drawing.data[series]?.[index])]
            ])
          : null;
      }}
    />
  );
}

function draw(
  study: IStudySnapshot,
  trials: readonly ITrial[],
  medians: ReadonlyMap<number, number>,
  bounds: IBand['bounds'],
  chosen: ReadonlySet<number>,
  step: string
): IDrawing {
  const curves = alignCurves(trials);
  const limits = bounds.map(bound => new Map(bound.points));
  const data: AlignedData = [
    ...curves,
    curves[0].map(at => medians.get(at) ?? null),
    ...limits.map(limit => curves[0].map(at => limit.get(at) ?? null))
  ];
  // A curve of one step is a point, which a line cannot show.
  const dots = curves[0].length < 3;
  const best = study.best?.trial;
  return {
    data,
    shape: [
      study.metric,
      dots,
      ...bounds.map(bound => bound.side),
      ...trials.map(
        trial =>
          `${trial.number}${trial.state}${trial.number === best}${chosen.has(trial.number)}`
      )
    ].join(' '),
    options: palette => ({
      legend: { show: false },
      cursor: {
        y: false,
        focus: { prox: 16 },
        points: { show: false },
        drag: { x: false, y: false }
      },
      focus: { alpha: 0.25 },
      padding: [8, 8, 0, 0],
      scales: { x: { time: false } },
      axes: [
        {
          label: step,
          labelSize: 16,
          labelFont: palette.font,
          size: 26,
          font: palette.font,
          stroke: palette.quiet,
          grid: { stroke: palette.grid, width: 1 },
          ticks: { show: false },
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000]
        },
        {
          size: 52,
          font: palette.font,
          stroke: palette.quiet,
          grid: { stroke: palette.grid, width: 1 },
          ticks: { show: false },
          values: (_, ticks) => ticks.map(tick => formatValue(tick))
        }
      ],
      series: [
        {},
        ...trials.map(trial => ({
          ...look(
            trial,
            trial.number === best,
            chosen.has(trial.number),
            trials.length > 60,
            palette
          ),
          label: String(trial.number),
          spanGaps: true,
          points: { show: dots, size: 6 }
        })),
        {
          stroke: palette.text,
          width: 1.5,
          dash: [6, 4],
          spanGaps: true,
          points: { show: false }
        },
        ...bounds.map(({ side }) => ({
          stroke: palette.bad,
          width: 1,
          fill: `color-mix(in srgb, ${palette.bad} 14%, transparent)`,
          // From the bound to the edge of the picture: what lies there is stopped.
          fillTo: (plot: UPlot): number =>
            (side === 'below' ? plot.scales.y?.min : plot.scales.y?.max) ?? 0,
          spanGaps: true,
          points: { show: false }
        }))
      ]
    })
  };
}

function look(
  trial: ITrial,
  isBest: boolean,
  isChosen: boolean,
  isCrowded: boolean,
  palette: IPalette
): { stroke: string; width: number; alpha: number; dash?: number[] } {
  if (isChosen) {
    return { stroke: palette.warn, width: 2.5, alpha: 1 };
  }
  if (isBest) {
    return { stroke: palette.accent, width: 2.5, alpha: 1 };
  }
  switch (trial.state) {
    case 'running':
      return { stroke: palette.good, width: 1.5, alpha: 0.9 };
    case 'failed':
      return { stroke: palette.bad, width: 1, alpha: 0.8, dash: [2, 3] };
    case 'stopped':
      return { stroke: palette.line, width: 1, alpha: 0.7, dash: [4, 3] };
    default:
      return {
        stroke: palette.quiet,
        width: 1,
        alpha: isCrowded ? 0.12 : 0.45
      };
  }
}
