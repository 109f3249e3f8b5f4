import type {
  IStudySnapshot,
  IStudySummary,
  ITrial
} from '../../server/contract';
import { beats } from '../model/derive';

/** Every trial that ended with a value, by time since the start, with the best value so far. */
export function bestHistory(study: IStudySnapshot): {
  trials: ITrial[];
  times: number[];
  values: number[];
  best: number[];
} {
  const start = study.started ?? study.created;
  const ended = study.trials
    .filter(
      (trial): trial is ITrial & { value: number; ended: number } =>
        trial.state === 'completed' &&
        trial.value !== null &&
        trial.ended !== null
    )
    .sort((a, b) => a.ended - b.ended);
  let best: number | null = null;
  return {
    trials: ended,
    times: ended.map(trial => trial.ended - start),
    values: ended.map(trial => trial.value),
    best: ended.map(({ value }) => {
      best =
        best === null || beats(value, best, study.direction) ? value : best;
      return best;
    })
  };
}

/**
 * The trials whose learning curves are drawn.
 *
 * Beyond `limit` a picture only gets darker: the best, the chosen and the running ones stay, then
 * the best of the rest. The most important ones come last, to lie on top.
 */
export function curvesToDraw(
  study: IStudySnapshot,
  trials: readonly ITrial[],
  chosen: ReadonlySet<number>,
  limit: number
): ITrial[] {
  const drawable = trials.filter(trial => trial.curve.length > 0);
  const rank = (trial: ITrial): number =>
    chosen.has(trial.number) || trial.number === study.best?.trial
      ? 0
      : trial.state === 'running'
        ? 1
        : 2;
  let drawn = drawable;
  if (drawable.length > limit) {
    const sign = study.direction === 'maximize' ? -1 : 1;
    const last = (trial: ITrial): number => {
      const value = trial.value ?? trial.curve[trial.curve.length - 1]?.[1];
      return value === null || value === undefined ? Infinity : sign * value;
    };
    drawn = drawable
      .map(trial => ({ trial, rank: rank(trial), last: last(trial) }))
      .sort((a, b) => a.rank - b.rank || a.last - b.last)
      .slice(0, limit)
      .map(({ trial }) => trial);
  }
  // What is drawn last lies on top.
  return [...drawn].sort((a, b) => rank(b) - rank(a) || a.number - b.number);
}

/** The best value of several studies over the seconds since each began, as uPlot wants it. */
export function alignBest(
  studies: readonly IStudySummary[]
): [number[], ...(number | null)[][]] {
  const curves = studies.map(study => {
    const start = study.started ?? study.created;
    const points = study.best_curve.map(
      ([time, value]) => [time - start, value] as const
    );
    const last = points[points.length - 1];
    // The last best holds until the end, or until now.
    return last
      ? [...points, [(study.ended ?? study.now) - start, last[1]] as const]
      : points;
  });
  const times = [
    ...new Set(curves.flatMap(curve => curve.map(([time]) => time)))
  ].sort((a, b) => a - b);
  return [
    times,
    ...curves.map(curve => {
      const values = new Map(curve);
      const last = curve[curve.length - 1]?.[0] ?? 0;
      let best: number | null = null;
      // A value holds until the next one, so that each moment of a study can be pointed at.
      return times.map(time => {
        best = values.get(time) ?? best;
        return time <= last ? best : null;
      });
    })
  ];
}

/** The median of the completed trials at each step that three or more of them reported. */
export function mediansByStep(
  trials: readonly ITrial[]
): ReadonlyMap<number, number> {
  const values = new Map<number, number[]>();
  for (const trial of trials) {
    if (trial.state === 'completed') {
      for (const [step, value] of trial.curve) {
        if (value !== null) {
          const column = values.get(step);
          if (column) {
            column.push(value);
          } else {
            values.set(step, [value]);
          }
        }
      }
    }
  }
  const medians = new Map<number, number>();
  values.forEach((column, step) => {
    if (column.length >= 3) {
      column.sort((a, b) => a - b);
      const middle = column.length >> 1;
      const high = column[middle] ?? 0;
      const low = column[middle - 1] ?? high;
      medians.set(step, column.length % 2 ? high : (low + high) / 2);
    }
  });
  return medians;
}

/** Curves on one common axis, as uPlot wants them: steps, then one column of values a trial. */
export function alignCurves(
  trials: readonly ITrial[]
): [number[], ...(number | null)[][]] {
  const steps = [
    ...new Set(trials.flatMap(trial => trial.curve.map(([step]) => step)))
  ].sort((a, b) => a - b);
  const place = new Map(steps.map((step, index) => [step, index]));
  return [
    steps,
    ...trials.map(trial => {
      const column: (number | null)[] = new Array<null>(steps.length).fill(
        null
      );
      for (const [step, value] of trial.curve) {
        column[place.get(step) ?? 0] = value;
      }
      return column;
    })
  ];
}
