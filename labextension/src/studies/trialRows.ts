import type { IStudySnapshot, ITrial, Scalar } from '../shared/contract';

/** What a table of trials is sorted by: a fixed column or `params.NAME`. */
export interface ISorting {
  column: string;
  descending: boolean;
}

/** One column of the trials table. */
export interface ITrialColumn {
  id: string;
  /** The name of a parameter, or null for the fixed columns. */
  param: string | null;
  value: (trial: ITrial, now: number) => Scalar;
}

const STATES = ['running', 'queued', 'completed', 'stopped', 'failed'];

/** The names of what a study varies. */
export function parameterNames(study: IStudySnapshot): string[] {
  return study.parameters.length
    ? study.parameters.map(parameter => parameter.name)
    : Object.keys(study.trials[0]?.params ?? {});
}

/** The columns of a table of trials: number, state, value, parameters, steps, time, worker. */
export function trialColumns(names: readonly string[]): ITrialColumn[] {
  return [
    { id: 'n', param: null, value: trial => trial.n },
    {
      id: 'state',
      param: null,
      value: trial => STATES.indexOf(trial.state)
    },
    { id: 'value', param: null, value: shownValue },
    ...names.map(name => ({
      id: `params.${name}`,
      param: name,
      value: (trial: ITrial): Scalar => trial.params[name] ?? null
    })),
    {
      id: 'step',
      param: null,
      value: trial => trial.curve[trial.curve.length - 1]?.[0] ?? null
    },
    { id: 'duration', param: null, value: trialDuration },
    { id: 'worker', param: null, value: trial => trial.worker }
  ];
}

/** A trial's final value, or the last one it reported. */
export function shownValue(trial: ITrial): number | null {
  return trial.value ?? trial.curve[trial.curve.length - 1]?.[1] ?? null;
}

/** Seconds that a trial took, or has taken so far. */
export function trialDuration(trial: ITrial, now: number): number | null {
  if (trial.started === null) {
    return null;
  }
  return (trial.ended ?? Math.max(now, trial.started)) - trial.started;
}

/** Sort trials by a column; unknown values stand last in both directions. */
export function sortTrials(
  study: IStudySnapshot,
  trials: readonly ITrial[],
  sorting: ISorting
): ITrial[] {
  const column = trialColumns(parameterNames(study)).find(
    ({ id }) => id === sorting.column
  );
  if (!column) {
    return [...trials];
  }
  const sign = sorting.descending ? -1 : 1;
  return trials
    .map(trial => ({ trial, key: column.value(trial, study.now) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) {
        return (
          Number(a.key === null) - Number(b.key === null) ||
          a.trial.n - b.trial.n
        );
      }
      return sign * compare(a.key, b.key) || a.trial.n - b.trial.n;
    })
    .map(({ trial }) => trial);
}

function compare(a: Scalar, b: Scalar): number {
  if (typeof a === 'number' && typeof b === 'number') {
    return a - b;
  }
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
