import { useCallback, type JSX } from 'react';

import { Canvas, type Drawer } from '../../charts/Canvas';
import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import type { IAxis } from './axes';
import { trialColour } from './trialColour';
import { trialTip } from './trialTip';

interface IProps {
  study: IStudySnapshot;
  axes: readonly IAxis[];
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  /** Of one row of pictures; narrow places have several rows. */
  height: number;
}

const TOP = 22;
const BOTTOM = 22;
const GAP = 24;
const LEFT = 52;
/** Narrower than this a picture says nothing. */
const LEAST = 130;
/** The points nearest to the pointer are found up to here. */
const REACH = 8;

/** The metric over each parameter, one point a trial. */
export function SlicesChart(props: IProps): JSX.Element {
  const { study, axes, trials, chosen, onChoose, height } = props;
  const trans = useTrans();
  const best = study.best?.trial;

  const draw = useCallback<Drawer>(
    (context, { width }, palette) => {
      const { boxes, metric } = layout(axes, width, height);
      if (!metric) {
        return;
      }
      boxes.forEach(({ axis, left, top, span, x, y }) => {
        context.strokeStyle = palette.grid;
        context.fillStyle = palette.quiet;
        context.textAlign = 'right';
        metric.ticks.forEach(({ at, word }) => {
          context.beginPath();
          context.moveTo(left, y(at));
          context.lineTo(left + span, y(at));
          context.stroke();
          if (left === LEFT) {
            context.fillText(word, LEFT - 6, y(at) + 4, LEFT - 8);
          }
        });
        context.strokeRect(left, top + TOP, span, height - TOP - BOTTOM);
        context.fillStyle = palette.text;
        context.textAlign = 'center';
        context.fillText(axis.name, left + span / 2, top + 14, span);
        context.fillStyle = palette.quiet;
        // What would touch the word before it is left out.
        let free = left - GAP / 2;
        axis.ticks.forEach(({ at, word }) => {
          const half = context.measureText(word).width / 2;
          const middle = Math.max(
            left + half - GAP / 2,
            Math.min(left + span - half + GAP / 2, x(at))
          );
          if (middle - half >= free) {
            context.fillText(word, middle, top + height - 7);
            free = middle + half + 6;
          }
        });
        const dot = (trial: ITrial, size: number, colour: string): void => {
          const [px, py] = [axis.place(trial), metric.place(trial)];
          if (px !== null && py !== null) {
            context.fillStyle = colour;
            context.beginPath();
            context.arc(x(px), y(py), size, 0, 7);
            context.fill();
          }
        };
        context.globalAlpha = trials.length > 500 ? 0.35 : 0.8;
        trials.forEach(trial =>
          dot(trial, 2.5, trialColour(trial.state, palette))
        );
        context.globalAlpha = 1;
        study.trials.forEach(trial => {
          if (chosen.has(trial.number)) {
            dot(trial, 5, palette.warn);
          } else if (trial.number === best) {
            dot(trial, 4.5, palette.text);
          }
        });
      });
    },
    [axes, trials, study, chosen, best, height]
  );

  const find = useCallback(
    (atX: number, atY: number, width: number): IHit | null => {
      const { boxes, metric } = layout(axes, width, height);
      let hit: IHit | null = null;
      for (const { axis, x, y } of boxes) {
        for (const trial of trials) {
          const [px, py] = [axis.place(trial), metric?.place(trial) ?? null];
          if (px === null || py === null) {
            continue;
          }
          const distance = Math.hypot(x(px) - atX, y(py) - atY);
          if (distance < (hit?.distance ?? REACH)) {
            hit = { trial, distance, x: x(px), y: y(py) };
          }
        }
      }
      return hit;
    },
    [axes, trials, height]
  );

  const onPointer = useCallback(
    (event: PointerEvent, width: number): void => {
      const hit =
        event.type === 'pointerup'
          ? find(event.offsetX, event.offsetY, width)
          : null;
      if (hit) {
        onChoose(hit.trial.number);
      }
    },
    [find, onChoose]
  );

  return (
    <Canvas
      draw={draw}
      height={width => layout(axes, width, height).height}
      label={trans.__(
        '%1 of %2 trials by each parameter',
        study.metric,
        trials.length
      )}
      onPointer={onPointer}
      tip={(x, y, width) => {
        const hit = find(x, y, width);
        return hit
          ? { x: hit.x, y: hit.y, ...trialTip(study, hit.trial, trans) }
          : null;
      }}
    />
  );
}

interface IHit {
  trial: ITrial;
  /** Pixels from the pointer. */
  distance: number;
  x: number;
  y: number;
}

interface IBox {
  axis: IAxis;
  left: number;
  top: number;
  span: number;
  /** Places on the two axes as pixels. */
  x: (place: number) => number;
  y: (place: number) => number;
}

function layout(
  axes: readonly IAxis[],
  width: number,
  height: number
): { boxes: IBox[]; metric: IAxis | undefined; height: number } {
  const parameters = axes.slice(0, -1);
  const room = Math.max(1, Math.floor((width - LEFT) / (LEAST + GAP)));
  const rows = Math.ceil(parameters.length / room) || 1;
  // As many in each row, not five and one.
  const columns = Math.max(1, Math.ceil(parameters.length / rows));
  const span = (width - LEFT - GAP / 2 - (columns - 1) * GAP) / columns;
  return {
    boxes: parameters.map((axis, index) => {
      const left = LEFT + (index % columns) * (span + GAP);
      const top = Math.floor(index / columns) * height;
      return {
        axis,
        left,
        top,
        span,
        x: place => left + 6 + place * (span - 12),
        y: place =>
          top + height - BOTTOM - 6 - place * (height - TOP - BOTTOM - 12)
      };
    }),
    metric: axes[axes.length - 1],
    height: rows * height
  };
}
