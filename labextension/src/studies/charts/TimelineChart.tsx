import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useMemo, type JSX } from 'react';

import { Canvas, type Drawer } from '../../charts/Canvas';
import { useResource, useTrans } from '../../context/context';
import type { ISpan, IStudySnapshot, ITrial } from '../../server/contract';
import { formatDuration } from '../../ui/format';
import { Notice } from '../../ui/Notice';
import { useStudies } from '../model/studiesToken';
import { useStudyNow, type IStudyClock } from '../model/studyClock';
import { outcomeWord } from '../text/words';
import { Legend, type IMark } from './Legend';
import { timeTicks, timeWords } from './timeAxis';
import { spanColour } from './trialColour';
import { trialTip } from './trialTip';

interface IProps {
  study: IStudySnapshot;
  trials: readonly ITrial[];
  chosen: ReadonlySet<number>;
  onChoose: (trial: number) => void;
  clock: IStudyClock;
  /** The least height; more workers take more. */
  height: number;
}

const LEFT = 72;
const RIGHT = 12;
const FOOT = 22;
const ROW = 22;

/** Who ran what when: one row a worker, one bar a trial. */
export function TimelineChart(props: IProps): JSX.Element {
  const { study, trials, chosen, onChoose, clock } = props;
  const now = useStudyNow(clock);
  const trans = useTrans();
  const studies = useStudies();
  const { data } = useResource(studies.study(study.name).timeline);
  const shown = useMemo(
    () => new Set(trials.map(trial => trial.number)),
    [trials]
  );
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
      const plot = width - LEFT - RIGHT;
      const ticks = timeTicks(end - start, Math.max(1, plot / 90));
      const words = timeWords(ticks);
      ticks.forEach((tick, place) => {
        const x = LEFT + (plot * tick) / Math.max(end - start, 1e-3);
        context.textAlign =
          place === 0 ? 'left' : x > width - 40 ? 'right' : 'center';
        context.fillText(words[place] ?? '', x, workers.length * ROW + 16);
      });
    },
    [workers, study, bars, chosen, start, end]
  );

  const find = useCallback(
    (x: number, y: number, width: number): ISpan | null => {
      let found: ISpan | null = null;
      bars(width, (span, left, top, length) => {
        if (
          x >= left - 2 &&
          x <= left + length + 2 &&
          y >= top &&
          y < top + ROW
        ) {
          found ??= span;
        }
      });
      return found;
    },
    [bars]
  );

  const onPointer = useCallback(
    (event: PointerEvent, width: number): void => {
      const hit =
        event.type === 'pointerup'
          ? find(event.offsetX, event.offsetY, width)
          : null;
      if (hit) {
        onChoose(hit.trial);
      }
    },
    [find, onChoose]
  );

  if (!workers.length) {
    return <Notice title={trans.__('No worker has started yet.')} />;
  }
  return (
    <figure className="eolab-Timeline">
      <figcaption>
        <b>{trans.__('Who ran what, by the time since the start')}</b>
        <Legend marks={marksOf(spans, chosen.size > 0, trans)} />
      </figcaption>
      <Canvas
        draw={draw}
        height={height}
        label={trans.__('What %1 workers ran and when', workers.length)}
        onPointer={onPointer}
        tip={(x, y, width) => {
          const span = find(x, y, width);
          const trial =
            span && study.trials.find(each => each.number === span.trial);
          return span && trial
            ? {
                x,
                y,
                ...trialTip(study, trial, trans, [
                  [trans.__('This attempt'), outcomeWord(span.outcome, trans)],
                  [trans.__('Attempt'), String(span.attempt)],
                  [
                    trans.__('From'),
                    formatDuration(Math.max(0, span.start - start))
                  ],
                  [
                    trans.__('Took'),
                    formatDuration((span.end ?? end) - span.start)
                  ]
                ])
              }
            : null;
        }}
      />
    </figure>
  );
}

/** What the colours and marks stand for, of those that are there. */
function marksOf(
  spans: readonly ISpan[],
  chosen: boolean,
  trans: TranslationBundle
): IMark[] {
  const has = (...outcomes: ISpan['outcome'][]): boolean =>
    spans.some(span => outcomes.includes(span.outcome));
  const marks: (IMark | null)[] = [
    has('completed')
      ? { shape: 'bar', colour: 'accent', word: trans.__('completed') }
      : null,
    has('running')
      ? { shape: 'bar', colour: 'good', word: trans.__('running') }
      : null,
    has('stopped')
      ? { shape: 'edge', colour: 'line', word: trans.__('stopped early') }
      : null,
    has('retried', 'interrupted')
      ? {
          shape: 'bar',
          colour: 'line',
          word: trans.__('ended without a result')
        }
      : null,
    has('failed', 'lost')
      ? { shape: 'bar', colour: 'bad', word: trans.__('failed or lost') }
      : null,
    spans.some(span => span.attempt > 1)
      ? { shape: 'notch', colour: 'warn', word: trans.__('tried again') }
      : null,
    chosen ? { shape: 'bar', colour: 'warn', word: trans.__('selected') } : null
  ];
  return marks.filter(mark => mark !== null);
}

/** What the trials themselves tell, where the server half is older: the last attempt of each. */
function spansOf(trials: readonly ITrial[]): ISpan[] {
  return trials.flatMap(trial =>
    trial.worker === null || trial.started === null || trial.state === 'queued'
      ? []
      : {
          worker: trial.worker,
          trial: trial.number,
          attempt: trial.attempts,
          start: trial.started,
          end: trial.ended,
          outcome: trial.state
        }
  );
}
