import { memo, useMemo, type JSX } from 'react';

import { Chart, type IDrawing } from '../shared/Chart';
import { useTrans } from '../shared/context';
import type { IStudySnapshot } from '../shared/contract';
import { formatDuration, formatValue } from '../shared/format';
import { bestHistory } from './derive';

interface IProps {
  study: IStudySnapshot;
  height: number;
}

/** Each finished trial as a point, and the best value so far as a stepped line. */
export const BestChart = memo(function BestChart(props: IProps): JSX.Element {
  const { study, height } = props;
  const trans = useTrans();
  const drawing = useMemo(
    () => draw(study, trans.__('time since the start')),
    [study, trans]
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
    />
  );
}, isSame);

/** Only completed trials are drawn: reports of running ones change nothing. */
function isSame(a: IProps, b: IProps): boolean {
  return (
    a.height === b.height &&
    a.study.name === b.study.name &&
    a.study.created === b.study.created &&
    a.study.seq <= b.study.seq &&
    a.study.counts.completed === b.study.counts.completed &&
    a.study.best?.trial === b.study.best?.trial
  );
}

function draw(study: IStudySnapshot, time: string): IDrawing {
  const { times, values, best } = bestHistory(study);
  return {
    data: [times, values, best],
    shape: study.metric,
    options: (palette, UPlot) => ({
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 12, 0, 0],
      scales: { x: { time: false } },
      axes: [
        {
          label: time,
          labelSize: 16,
          labelFont: palette.font,
          size: 26,
          space: 70,
          font: palette.font,
          stroke: palette.quiet,
          grid: { stroke: palette.grid, width: 1 },
          ticks: { show: false },
          values: (_, ticks) => durations(ticks)
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
        {
          stroke: palette.quiet,
          fill: palette.quiet,
          paths: () => null,
          points: {
            show: true,
            size: times.length > 500 ? 3 : 5,
            fill: palette.quiet
          }
        },
        {
          stroke: palette.accent,
          width: 2,
          paths: UPlot.paths.stepped?.({ align: 1 }),
          points: { show: false }
        }
      ]
    })
  };
}

/** Times at an axis, with as many digits as tell them apart. */
function durations(ticks: readonly number[]): string[] {
  const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  return ticks.map(tick => {
    if (tick === 0) {
      return '0';
    }
    return step > 0 && step < 1 && tick < 60
      ? `${tick.toFixed(step < 0.1 ? 2 : 1)} s`
      : formatDuration(tick).replace('.0 s', ' s');
  });
}
