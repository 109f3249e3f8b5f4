import { useCallback, useMemo, type JSX } from 'react';

import { Canvas, type Drawer } from '../shared/Canvas';
import { useTrans } from '../shared/context';
import type { IStudySnapshot, ITrial } from '../shared/contract';
import { formatDuration } from '../shared/format';
import { trialColour } from './trialColour';

interface IProps {
  study: IStudySnapshot;
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  now: number;
  /** The least height; more workers take more. */
  height: number;
}

const LEFT = 84;
const RIGHT = 12;
const FOOT = 22;
const ROW = 22;

/** Who ran what when: one row a worker, one bar a trial. */
export function TimelineChart(props: IProps): JSX.Element {
  const { study, trials, chosen, onChoose, now } = props;
  const trans = useTrans();
  const workers = useMemo(
    () =>
      [
        ...new Set([
          ...study.workers.map(worker => worker.id),
          ...study.trials.flatMap(trial => trial.worker ?? [])
        ])
      ].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    [study]
  );
  const height = Math.max(props.height, workers.length * ROW + FOOT + 4);
  const start = study.started ?? study.created;
  const end = study.ended ?? now;

  const bars = useCallback(
    (
      width: number,
      each: (trial: ITrial, x: number, y: number, span: number) => void
    ): void => {
      const rows = new Map(workers.map((worker, row) => [worker, row]));
      const scale = (width - LEFT - RIGHT) / Math.max(end - start, 1e-3);
      for (const trial of trials) {
        const row = rows.get(trial.worker ?? '');
        if (row === undefined || trial.started === null) {
          continue;
        }
        const x = LEFT + (trial.started - start) * scale;
        const until = trial.ended ?? (trial.state === 'running' ? end : null);
        if (until !== null) {
          each(
            trial,
            x,
            row * ROW + 3,
            Math.max(1, (until - trial.started) * scale - 0.5)
          );
        }
      }
    },
    [workers, trials, start, end]
  );

  const draw = useCallback<Drawer>(
    (context, { width }, palette) => {
      context.textAlign = 'left';
      workers.forEach((worker, row) => {
        const state = study.workers.find(each => each.id === worker)?.state;
        context.fillStyle = state === 'lost' ? palette.bad : palette.text;
        context.fillText(worker, 4, row * ROW + 15, LEFT - 12);
        context.strokeStyle = palette.grid;
        context.beginPath();
        context.moveTo(LEFT, row * ROW + ROW - 0.5);
        context.lineTo(width - RIGHT, row * ROW + ROW - 0.5);
        context.stroke();
      });
      bars(width, (trial, x, y, span) => {
        context.globalAlpha = trial.state === 'completed' ? 0.85 : 1;
        context.fillStyle = chosen.has(trial.n)
          ? palette.warn
          : trialColour(trial.state, palette);
        context.fillRect(x, y, span, ROW - 6);
        context.globalAlpha = 1;
        if (trial.attempts > 1) {
          // A retry: marked at its beginning.
          context.fillStyle = palette.warn;
          context.fillRect(x, y, Math.min(3, span), ROW - 6);
        }
        if (trial.state === 'stopped' && span > 3) {
          context.fillStyle = palette.text;
          context.fillRect(x + span - 2, y, 2, ROW - 6);
        }
        if (span > 20) {
          context.fillStyle = palette.background;
          context.textAlign = 'center';
          context.fillText(String(trial.n), x + span / 2, y + 12, span - 2);
        }
      });
      context.fillStyle = palette.quiet;
      for (let part = 0; part <= 4; part += 1) {
        context.textAlign =
          part === 0 ? 'left' : part === 4 ? 'right' : 'center';
        context.fillText(
          formatDuration(((end - start) * part) / 4),
          LEFT + ((width - LEFT - RIGHT) * part) / 4,
          workers.length * ROW + 16
        );
      }
    },
    [workers, study, bars, chosen, start, end]
  );

  const onPointer = useCallback(
    (event: PointerEvent, width: number): void => {
      if (event.type !== 'pointerup') {
        return;
      }
      const hits: number[] = [];
      bars(width, (trial, x, y, span) => {
        if (
          event.offsetX >= x - 2 &&
          event.offsetX <= x + span + 2 &&
          event.offsetY >= y &&
          event.offsetY <= y + ROW
        ) {
          hits.push(trial.n);
        }
      });
      const [hit] = hits;
      if (hit !== undefined) {
        onChoose(hit);
      }
    },
    [bars, onChoose]
  );

  return (
    <Canvas
      draw={draw}
      height={height}
      label={trans.__('What %1 workers ran and when', workers.length)}
      onPointer={onPointer}
    />
  );
}
