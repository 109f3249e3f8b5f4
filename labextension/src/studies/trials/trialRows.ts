import type { IStudySnapshot, ITrial, Scalar } from '../../server/contract';

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
  /** Numbers stand to the right, words to the left. */
  numeric: boolean;
  /** Whether its words are long: it gets more room. */
  wide?: boolean;
  value: (trial: ITrial, now: number) => Scalar;
}

/** What the columns of a study depend on. */
export interface IColumnPlan {
  params: readonly { name: string; numeric: boolean; wide?: boolean }[];
  /** Whether a trial has failed: then it is said why. */
  errors: boolean;
}

/** More letters than this do not fit where a number does. */
const LONG = 12;

const STATES = ['running', 'queued', 'completed', 'stopped', 'failed'];

/** What a study varies, and whether anything failed. */
export function columnPlan(study: IStudySnapshot): IColumnPlan {
  return {
    params: study.parameters.length
      ? study.parameters.map(({ name, choices }) => ({
          name,
          numeric: !choices?.some(choice => typeof choice !== 'number'),
          wide: choices?.some(choice => String(choice).length > LONG) ?? false
        }))
      : Object.entries(study.trials[0]?.params ?? {}).map(([name, value]) => ({
          name,
          numeric: typeof value === 'number'
        })),
    errors: study.counts.failed > 0
  };
}

/** The columns of a table of trials: number, state, value, parameters, steps, time, worker. */
export function trialColumns({ params, errors }: IColumnPlan): ITrialColumn[] {
  return [
    { id: 'n', param: null, numeric: true, value: trial => trial.number },
    {
      id: 'state',
      param: null,
      numeric: false,
      value: trial => STATES.indexOf(trial.state)
    },
    { id: 'value', param: null, numeric: true, value: shownValue },
    ...params.map(({ name, numeric, wide }) => ({
      id: `params.${name}`,
      param: name,
      numeric,
      wide,
      value: (trial: ITrial): Scalar => trial.params[name] ?? null
    })),
    {
      id: 'step',
      param: null,
      numeric: true,
      value: trial => trial.curve[trial.curve.length - 1]?.[0] ?? null
    },
    { id: 'duration', param: null, numeric: true, value: trialDuration },
    {
      id: 'worker',
      param: null,
      numeric: false,
      value: trial => trial.worker
    },
    ...(errors
      ? [
          {
            id: 'error',
            param: null,
            numeric: false,
            value: (trial: ITrial): Scalar => trial.error
          }
        ]
      : [])
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
  const column = trialColumns(columnPlan(study)).find(
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
          a.trial.number - b.trial.number
        );
      }
      return sign * compare(a.key, b.key) || a.trial.number - b.trial.number;
    })
    .map(({ trial }) => trial);
}

function compare(a: Scalar, b: Scalar): number {
  if (typeof a === 'number' && typeof b === 'number') {
    return a - b;
  }
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
