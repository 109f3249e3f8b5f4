import { useCallback, useMemo, useRef, type JSX } from 'react';

import { Canvas, type Drawer } from '../../charts/Canvas';
import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import type { Brushes, IAxis } from './axes';
import { trialTip } from './trialTip';

interface IProps {
  study: IStudySnapshot;
  axes: readonly IAxis[];
  /** The trials that fit the filter. */
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
  onChoose: (trial: number) => void;
  height: number;
}

const TOP = 28;
const BOTTOM = 12;
const SIDE = 56;
/** From a press to a release this near, a drag is a click, which clears the axis. */
const CLICK = 4;

/** One line a trial across one axis a parameter; a drag along an axis keeps only what crosses there. */
export function ParallelChart(props: IProps): JSX.Element {
  const { study, axes, trials, chosen, brushes, onBrush, onChoose, height } =
    props;
  const trans = useTrans();
  const drag = useRef<{ axis: IAxis; from: number; y: number } | null>(null);
  const best = study.best?.trial;

  const draw = useCallback<Drawer>(
    (context, { width }, palette) => {
      const xs = axes.map((_, index) => axisX(index, axes.length, width));
      const y = (place: number): number =>
        height - BOTTOM - place * (height - TOP - BOTTOM);
      const trace = (trial: ITrial): void => {
        let started = false;
        axes.forEach((axis, index) => {
          const place = axis.place(trial);
          if (place === null) {
            return;
          }
          const x = xs[index] ?? 0;
          if (started) {
            context.lineTo(x, y(place));
          } else {
            context.moveTo(x, y(place));
            started = true;
          }
        });
      };
      // All of one colour in one path: ten thousand lines in a few milliseconds. The best quarter
      // of the metric's range is drawn last, in colour.
      const metric = axes[axes.length - 1];
      const isGood = (trial: ITrial): boolean => {
        const at = metric?.place(trial) ?? 0.5;
        return study.direction === 'maximize' ? at >= 0.75 : at <= 0.25;
      };
      context.globalAlpha = Math.max(0.03, Math.min(0.5, 50 / trials.length));
      context.lineWidth = 1;
      for (const good of [false, true]) {
        context.strokeStyle = good ? palette.accent : palette.quiet;
        context.beginPath();
        trials.forEach(trial => {
          if (trial.value !== null && isGood(trial) === good) {
            trace(trial);
          }
        });
        context.stroke();
      }
      context.globalAlpha = 1;
      const strong: [string, (trial: ITrial) => boolean][] = [
        [palette.accent, trial => trial.number === best],
        [palette.warn, trial => chosen.has(trial.number)]
      ];
      for (const [colour, test] of strong) {
        context.strokeStyle = colour;
        context.lineWidth = 2.5;
        context.beginPath();
        study.trials.filter(test).forEach(trace);
        context.stroke();
      }
      axes.forEach((axis, index) => {
        const x = xs[index] ?? 0;
        context.strokeStyle = palette.line;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(x, TOP);
        context.lineTo(x, height - BOTTOM);
        context.stroke();
        context.fillStyle = palette.text;
        context.textAlign = 'center';
        context.fillText(axis.name, x, 14, width / axes.length - 8);
        context.textAlign = index === axes.length - 1 ? 'right' : 'left';
        const shift = index === axes.length - 1 ? -6 : 6;
        context.fillStyle = palette.quiet;
        axis.ticks.forEach(({ at, word }) => {
          context.strokeStyle = palette.background;
          context.lineWidth = 3;
          // In the gap to the next axis, where its words begin.
          const room = (width - 2 * SIDE) / Math.max(1, axes.length - 1) - 14;
          context.strokeText(word, x + shift, y(at) + 4, room);
          context.fillText(word, x + shift, y(at) + 4, room);
        });
        const range = brushes[axis.name];
        if (range) {
          context.globalAlpha = 0.35;
          context.fillStyle = palette.warn;
          context.fillRect(x - 7, y(range[1]), 14, y(range[0]) - y(range[1]));
          context.globalAlpha = 1;
        }
      });
    },
    [axes, trials, study, best, chosen, brushes, height]
  );

  const onPointer = useCallback(
    (event: PointerEvent, width: number): void => {
      const place = (y: number): number =>
        Math.max(
          0,
          Math.min(1, (height - BOTTOM - y) / (height - TOP - BOTTOM))
        );
      if (event.type === 'pointerdown') {
        const axis = axes.find(
          (_, index) =>
            Math.abs(axisX(index, axes.length, width) - event.offsetX) < 16
        );
        drag.current = axis
          ? { axis, from: place(event.offsetY), y: event.offsetY }
          : null;
        return;
      }
      const held = drag.current;
      if (!held) {
        const trial =
          event.type === 'pointerup'
            ? lineAt(axes, trials, width, height, event.offsetX, event.offsetY)
            : null;
        if (trial) {
          onChoose(trial.number);
        }
        return;
      }
      const to = place(event.offsetY);
      if (Math.abs(event.offsetY - held.y) >= CLICK) {
        onBrush({
          ...brushes,
          [held.axis.name]: [Math.min(held.from, to), Math.max(held.from, to)]
        });
      } else if (event.type === 'pointerup') {
        onBrush(
          Object.fromEntries(
            Object.entries(brushes).filter(([name]) => name !== held.axis.name)
          )
        );
      }
      if (event.type === 'pointerup') {
        drag.current = null;
      }
    },
    [axes, trials, brushes, onBrush, onChoose, height]
  );

  const label = useMemo(
    () =>
      trans.__(
        'Parallel coordinates of %1 trials over %2; drag along an axis to keep a part, or filter the table',
        trials.length,
        axes.map(axis => axis.name).join(', ')
      ),
    [trans, trials.length, axes]
  );
  return (
    <Canvas
      draw={draw}
      height={height}
      label={label}
      onPointer={onPointer}
      tip={(x, y, width) => {
        const trial = lineAt(axes, trials, width, height, x, y);
        return trial ? { x, y, ...trialTip(study, trial, trans) } : null;
      }}
    />
  );
}

function axisX(index: number, count: number, width: number): number {
  return count > 1
    ? SIDE + (index / (count - 1)) * (width - 2 * SIDE)
    : width / 2;
}

/** The trial whose line passes nearest to a point, or null where none is near. */
function lineAt(
  axes: readonly IAxis[],
  trials: readonly ITrial[],
  width: number,
  height: number,
  x: number,
  y: number
): ITrial | null {
  const gap = (width - 2 * SIDE) / Math.max(1, axes.length - 1);
  const right = Math.floor((x - SIDE) / gap) + 1;
  const [from, to] = [axes[right - 1], axes[right]];
  if (!from || !to) {
    return null;
  }
  const share = (x - SIDE) / gap - (right - 1);
  let found: ITrial | null = null;
  let least = 6;
  for (const trial of trials) {
    const [a, b] = [from.place(trial), to.place(trial)];
    if (a !== null && b !== null && trial.value !== null) {
      const at = a + (b - a) * share;
      const distance = Math.abs(
        height - BOTTOM - at * (height - TOP - BOTTOM) - y
      );
      if (distance < least) {
        [found, least] = [trial, distance];
      }
    }
  }
  return found;
}
