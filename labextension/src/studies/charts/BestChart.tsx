import { memo, useMemo, type JSX } from 'react';

import { Chart, type IDrawing } from '../../charts/Chart';
import { useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { formatDuration, formatValue } from '../../ui/format';
import { bestHistory } from './histories';
import { timeAxis } from './timeAxis';
import { trialTip } from './trialTip';

interface IProps {
  study: IStudySnapshot;
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  height: number;
}

/** Each finished trial as a point, and the best value so far as a stepped line. */
export const BestChart = memo(function BestChart(props: IProps): JSX.Element {
  const { study, chosen, onChoose, height } = props;
  const trans = useTrans();
  const history = useMemo(() => bestHistory(study), [study]);
  const drawing = useMemo(
    () => draw(study, history, chosen, trans.__('time since the start')),
    [study, history, chosen, trans]
  );
  return (
    <Chart
      drawing={drawing}
      label={trans.__(
        'Best %1 so far: %2',
        study.metric,
        formatValue(study.best?.value)
      )}
      height={height}
      onPick={(_, index) => {
        const trial = history.trials[index];
        if (trial) {
          onChoose(trial.number);
        }
      }}
      tip={(_, index) => {
        const trial = history.trials[index];
        return trial
          ? trialTip(study, trial, trans, [
              [trans.__('Ended after'), formatDuration(history.times[index])],
              [trans.__('Best so far'), formatValue(history.best[index])]
            ])
          : null;
      }}
    />
  );
}, isSame);

/** Only completed trials are drawn: reports of running ones change nothing. */
function isSame(a: IProps, b: IProps): boolean {
  return (
    a.height === b.height &&
    a.chosen === b.chosen &&
    a.study.name === b.study.name &&
    a.study.created === b.study.created &&
    a.study.seq <= b.study.seq &&
    a.study.counts.completed === b.study.counts.completed &&
    a.study.best?.trial === b.study.best?.trial
  );
}

function draw(
  study: IStudySnapshot,
  history: ReturnType<typeof bestHistory>,
  chosen: ReadonlySet<number>,
  time: string
): IDrawing {
  const { trials, times, values, best } = history;
  const size = times.length > 500 ? 3 : 5;
  return {
    data: [
      times,
      values,
      best,
      trials.map((trial, place) =>
        chosen.has(trial.number) ? (values[place] ?? null) : null
      )
    ],
    shape: `${study.metric} ${size}`,
    options: (palette, UPlot) => ({
      legend: { show: false },
      cursor: {
        y: false,
        focus: { prox: 24 },
        points: { show: false },
        drag: { x: false, y: false }
      },
      focus: { alpha: 1 },
      // Room for half of the last time under the axis.
      padding: [8, 32, 0, 0],
      scales: { x: { time: false } },
      axes: [
        timeAxis(palette, time),
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
        {
          stroke: palette.quiet,
          fill: palette.quiet,
          paths: () => null,
          points: { show: true, size, fill: palette.quiet }
        },
        {
          stroke: palette.accent,
          width: 2,
          paths: UPlot.paths.stepped?.({ align: 1 }),
          points: { show: false }
        },
        {
          stroke: palette.warn,
          fill: palette.warn,
          paths: () => null,
          points: { show: true, size: 9, fill: palette.warn }
        }
      ]
    })
  };
}
