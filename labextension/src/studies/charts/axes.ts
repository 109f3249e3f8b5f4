import type { IStudySnapshot, ITrial, Scalar } from '../../server/contract';
import { shownValue } from '../trials/trialRows';

/** One axis of the parameter pictures. */
export interface IAxis {
  name: string;
  /** The place of a trial on the axis, 0 to 1; null where it has none. */
  place: (trial: ITrial) => number | null;
  /** What stands at the axis: places and words. */
  ticks: { at: number; word: string }[];
}

/** A part of an axis that was marked, as places. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

/** The axes of a study: one a parameter, the metric last. */
export function axesOf(
  study: IStudySnapshot,
  write: (value: Scalar) => string
): IAxis[] {
  const axes = study.parameters.map(parameter => {
    const read = (trial: ITrial): Scalar =>
      trial.params[parameter.name] ?? null;
    if (parameter.choices) {
      return choiceAxis(parameter.name, parameter.choices, read, write);
    }
    return numberAxis(
      parameter.name,
      study.trials,
      trial => {
        const value = read(trial);
        return typeof value === 'number' ? value : null;
      },
      parameter.log === true,
      write
    );
  });
  return [
    ...axes,
    numberAxis(study.metric, study.trials, shownValue, false, write)
  ];
}

/** Whether a trial stands inside all marked parts. */
export function isInside(
  trial: ITrial,
  axes: readonly IAxis[],
  brushes: Brushes
): boolean {
  return axes.every(axis => {
    const range = brushes[axis.name];
    if (!range) {
      return true;
    }
    const place = axis.place(trial);
    return place !== null && place >= range[0] && place <= range[1];
  });
}

function choiceAxis(
  name: string,
  choices: readonly Scalar[],
  read: (trial: ITrial) => Scalar,
  write: (value: Scalar) => string
): IAxis {
  const at = (index: number): number =>
    choices.length > 1 ? index / (choices.length - 1) : 0.5;
  const places = new Map(
    choices.map((choice, index) => [String(choice), at(index)])
  );
  return {
    name,
    place: trial => places.get(String(read(trial))) ?? null,
    ticks: choices.map((choice, index) => ({
      at: at(index),
      word: write(choice)
    }))
  };
}

function numberAxis(
  name: string,
  trials: readonly ITrial[],
  read: (trial: ITrial) => number | null,
  log: boolean,
  write: (value: Scalar) => string
): IAxis {
  let low = Infinity;
  let high = -Infinity;
  for (const trial of trials) {
    const value = read(trial);
    if (value !== null && (!log || value > 0)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) {
    return { name, place: () => null, ticks: [] };
  }
  const scale = log ? Math.log : (value: number): number => value;
  const [from, to] = [scale(low), scale(high)];
  const span = to - from || 1;
  return {
    name,
    place: trial => {
      const value = read(trial);
      return value === null || (log && value <= 0)
        ? null
        : (scale(value) - from) / span;
    },
    ticks: (log ? decades(low, high) : steps(low, high)).map(value => ({
      at: (scale(value) - from) / span,
      word: write(value)
    }))
  };
}

/** Round numbers from `low` to `high`, three to six of them; `low` itself where they are equal. */
export function steps(low: number, high: number): number[] {
  if (!(high > low)) {
    return [low];
  }
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find(each => each * power >= raw) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from(
    { length: last - first + 1 },
    // Not `k * 0.1`, which ends in ...0000004.
    (_, k) => Number(((first + k) * step).toPrecision(12))
  );
}

/** Powers of ten from `low` to `high`; the ends themselves where fewer than two lie between. */
export function decades(low: number, high: number): number[] {
  if (!(high > low)) {
    return [low];
  }
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  return last > first
    ? Array.from({ length: last - first + 1 }, (_, k) => 10 ** (first + k))
    : [low, high];
}
