import { useCallback, type JSX } from 'react';

import { Canvas, type Drawer } from '../shared/Canvas';
import { useTrans } from '../shared/context';
import type { IStudySnapshot, ITrial } from '../shared/contract';
import type { IAxis } from './axes';
import { trialColour } from './trialColour';

interface IProps {
  study: IStudySnapshot;
  axes: readonly IAxis[];
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  height: number;
}

const TOP = 22;
const BOTTOM = 22;
const GAP = 28;
const LEFT = 44;

/** The metric over each parameter, one point a trial. */
export function SlicesChart(props: IProps): JSX.Element {
  const { study, axes, trials, chosen, onChoose, height } = props;
  const trans = useTrans();
  const best = study.best?.trial;

  const draw = useCallback<Drawer>(
    (context, { width }, palette) => {
      const { boxes, metric, y } = layout(axes, width, height);
      if (!metric) {
        return;
      }
      context.fillStyle = palette.quiet;
      context.textAlign = 'right';
      metric.ticks.forEach(({ at, word }) =>
        context.fillText(word, LEFT - 6, y(at) + 4)
      );
      boxes.forEach(({ axis, left, span }) => {
        context.strokeStyle = palette.grid;
        context.strokeRect(left, TOP, span, height - TOP - BOTTOM);
        context.fillStyle = palette.text;
        context.textAlign = 'center';
        context.fillText(axis.name, left + span / 2, 14, span);
        context.fillStyle = palette.quiet;
        const ticks = axis.ticks.filter(
          (_, index) => index === 0 || index === axis.ticks.length - 1
        );
        ticks.forEach(({ at, word }) => {
          context.textAlign = at < 0.3 ? 'left' : at > 0.7 ? 'right' : 'center';
          context.fillText(word, left + 6 + at * (span - 12), height - 7);
        });
        const dot = (trial: ITrial, size: number, colour: string): void => {
          const [px, py] = [axis.place(trial), metric.place(trial)];
          if (px !== null && py !== null) {
            context.fillStyle = colour;
            context.beginPath();
            context.arc(left + 6 + px * (span - 12), y(py), size, 0, 7);
            context.fill();
          }
        };
        context.globalAlpha = trials.length > 500 ? 0.35 : 0.8;
        trials.forEach(trial =>
          dot(trial, 2.5, trialColour(trial.state, palette))
        );
        context.globalAlpha = 1;
        study.trials.forEach(trial => {
          if (chosen.has(trial.n)) {
            dot(trial, 5, palette.warn);
          } else if (trial.n === best) {
            dot(trial, 4.5, palette.text);
          }
        });
      });
    },
    [axes, trials, study, chosen, best, height]
  );

  const onPointer = useCallback(
    (event: PointerEvent, width: number): void => {
      if (event.type !== 'pointerup') {
        return;
      }
      const { boxes, metric, y } = layout(axes, width, height);
      let nearest: { n: number; distance: number } | null = null;
      for (const { axis, left, span } of boxes) {
        for (const trial of trials) {
          const [px, py] = [axis.place(trial), metric?.place(trial) ?? null];
          if (px === null || py === null) {
            continue;
          }
          const distance = Math.hypot(
            left + 6 + px * (span - 12) - event.offsetX,
            y(py) - event.offsetY
          );
          if (distance < 8 && distance < (nearest?.distance ?? Infinity)) {
            nearest = { n: trial.n, distance };
          }
        }
      }
      if (nearest) {
        onChoose(nearest.n);
      }
    },
    [axes, trials, onChoose, height]
  );

  return (
    <Canvas
      draw={draw}
      height={height}
      label={trans.__(
        '%1 of %2 trials by each parameter',
        study.metric,
        trials.length
      )}
      onPointer={onPointer}
    />
  );
}

function layout(
  axes: readonly IAxis[],
  width: number,
  height: number
): {
  boxes: { axis: IAxis; left: number; span: number }[];
  metric: IAxis | undefined;
  y: (place: number) => number;
} {
  const parameters = axes.slice(0, -1);
  const count = Math.max(parameters.length, 1);
  const span = (width - LEFT - 8 - (count - 1) * GAP) / count;
  return {
    boxes: parameters.map((axis, index) => ({
      axis,
      left: LEFT + index * (span + GAP),
      span
    })),
    metric: axes[axes.length - 1],
    y: place => height - BOTTOM - 6 - place * (height - TOP - BOTTOM - 12)
  };
}
