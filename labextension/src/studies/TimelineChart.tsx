import { useCallback, useMemo, type JSX } from 'react';

import { Canvas, type Drawer } from '../shared/Canvas';
import { useEolab, useResource } from '../shared/context';
import type { ISpan, IStudySnapshot, ITrial } from '../shared/contract';
import { formatDuration } from '../shared/format';
import { spanColour } from './trialColour';

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
  const { studies, trans } = useEolab();
  const { data } = useResource(studies.study(study.name).timeline);
  const shown = useMemo(() => new Set(trials.map(trial => trial.n)), [trials]);
  const spans = useMemo(
    () =>
      (data?.spans ?? spansOf(study.trials)).filter(span =>
        shown.has(span.trial)
      ),
    [data, study, shown]
  );
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
      each: (span: ISpan, x: number, y: number, length: number) => void
    ): void => {
      const rows = new Map(workers.map((worker, row) => [worker, row]));
      const scale = (width - LEFT - RIGHT) / Math.max(end - start, 1e-3);
      for (const span of spans) {
        const row = rows.get(span.worker);
        if (row === undefined) {
          continue;
        }
        const x = LEFT + (span.start - start) * scale;
        const length = ((span.end ?? end) - span.start) * scale;
        each(span, x, row * ROW + 3, Math.max(1, length - 0.5));
      }
    },
    [workers, spans, start, end]
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
      bars(width, (span, x, y, length) => {
        context.globalAlpha = span.outcome === 'completed' ? 0.85 : 1;
        context.fillStyle = chosen.has(span.trial)
          ? palette.warn
          : spanColour(span.outcome, palette);
        context.fillRect(x, y, length, ROW - 6);
        context.globalAlpha = 1;
        if (span.attempt > 1) {
          // Not the first attempt: marked at its beginning.
          context.fillStyle = palette.warn;
          context.fillRect(x, y, Math.min(3, length), ROW - 6);
        }
        if (span.outcome === 'stopped' && length > 3) {
          context.fillStyle = palette.text;
          context.fillRect(x + length - 2, y, 2, ROW - 6);
        }
        if (length > 20) {
          context.fillStyle = palette.background;
          context.textAlign = 'center';
          context.fillText(
            String(span.trial),
            x + length / 2,
            y + 12,
            length - 2
          );
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
      bars(width, (span, x, y, length) => {
        if (
          event.offsetX >= x - 2 &&
          event.offsetX <= x + length + 2 &&
          event.offsetY >= y &&
          event.offsetY <= y + ROW
        ) {
          hits.push(span.trial);
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

/** What the trials themselves tell, where the server half is older: the last attempt of each. */
function spansOf(trials: readonly ITrial[]): ISpan[] {
  return trials.flatMap(trial =>
    trial.worker === null || trial.started === null || trial.state === 'queued'
      ? []
      : {
          worker: trial.worker,
          trial: trial.n,
          attempt: trial.attempts,
          start: trial.started,
          end: trial.ended,
          outcome: trial.state
        }
  );
}
