/** What the server half answers about studies. */

import type { ILineageEdge, Json, Scalar } from './common';

/** `interrupted`: the study's process died; the study can be resumed. */
export type StudyState =
  | 'starting'
  | 'running'
  | 'paused'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'interrupted';

export type TrialState =
  'queued' | 'running' | 'completed' | 'failed' | 'stopped';

export type Params = Record<string, Scalar>;

/** A step (or a time) and a value. */
export type Point = [number, number | null];

export interface IStudySummary {
  name: string;
  kind: string;
  state: StudyState;
  message: string;
  metric: string;
  direction: 'maximize' | 'minimize';
  created: number;
  started: number | null;
  ended: number | null;
  now: number;
  /** Older servers do not name the limits of time (seconds) and value. */
  budget: { trials: number; timeout?: number | null; target?: number | null };
  counts: Record<TrialState, number>;
  best: { trial: number; value: number; params: Params } | null;
  /** At most 50 points of time and best value so far. */
  best_curve: Point[];
  workers_alive: number;
  /** Those that are alive; absent where the server half is older. */
  workers?: IWorker[];
  /** Grows with each event of the study's journal. */
  seq: number;
}

export interface IStudies {
  studies: IStudySummary[];
}

export interface IParameter {
  name: string;
  kind: string;
  low: number | null;
  high: number | null;
  log: boolean | null;
  choices: Scalar[] | null;
}

export interface IWorker {
  id: string;
  state: 'starting' | 'idle' | 'busy' | 'lost' | 'left';
  trial: number | null;
}

export interface ITrial {
  n: number;
  state: TrialState;
  params: Params;
  value: number | null;
  curve: Point[];
  started: number | null;
  ended: number | null;
  attempts: number;
  worker: string | null;
  error: string | null;
}

export interface IStudySnapshot extends IStudySummary {
  parameters: IParameter[];
  workers: IWorker[];
  trials: ITrial[];
}

/** A trial of which only the new end of the curve is sent. */
export type GrownTrial = Omit<ITrial, 'curve'> & { tail: Point[] };

/** What comes where only what changed since a `seq` was asked for. */
export interface IStudyAnswer extends Omit<IStudySnapshot, 'trials'> {
  trials: (ITrial | GrownTrial)[];
  /** Whether `trials` holds only those that changed. */
  partial?: boolean;
}

/** Where trials are stopped early: a bound at each step. */
export interface IBand {
  bounds: {
    /** On which side of the bound a trial is stopped. */
    side: 'below' | 'above';
    /** What is compared with the bound: the best value so far, or the newest one. */
    of: 'best' | 'last';
    points: Point[];
  }[];
}

export type StudyCommand = 'pause' | 'resume' | 'cancel';

/** What can be asked of a study, with what each carries. */
export type StudyRequest =
  | { command: StudyCommand }
  | { command: 'stop' | 'retry'; n: number }
  | { command: 'set'; trials?: number; workers?: number };

export interface ITrialLog {
  text: string;
  truncated: boolean;
}

/** One attempt of one trial on one worker. */
export interface ISpan {
  worker: string;
  trial: number;
  attempt: number;
  start: number;
  end: number | null;
  outcome:
    | 'running'
    | 'completed'
    | 'failed'
    | 'stopped'
    | 'lost'
    | 'retried'
    | 'interrupted';
}

export interface ITimeline {
  spans: ISpan[];
  workers: {
    id: string;
    start: number;
    end: number | null;
  }[];
  now: number;
}

/** A mean of paired differences and how sure it is. */
export interface IEstimate {
  value: number;
  low: number | null;
  high: number | null;
  p: number | null;
  pairs: number;
  level: number;
}

export interface IAblationRow {
  variant: string;
  removed: string[];
  runs: number;
  mean: number | null;
  spread: number | null;
  /** How much worse than the baseline on the same folds and seeds; null for the baseline. */
  drop: IEstimate | null;
  /** p after Holm's correction for all variants. */
  corrected: number | null;
  seconds: number | null;
  cost: Record<string, number>;
  words: string | null;
}

/** What an ablation has shown so far. */
export interface IAblation {
  metric: string;
  level: number;
  planned: number;
  ended: number;
  /** The baseline, then the others from the largest drop to the smallest. */
  rows: IAblationRow[];
  pairs: (IEstimate & { a: string; b: string })[];
  /** The value of each part where all subsets were run, the largest first. */
  shapley: (IEstimate & { name: string })[];
  /** What else each run told, with the drop of each variant. */
  figures: { name: string; drops: Record<string, number | null> }[];
  notes: string[];
}

export interface IImportance {
  method: string;
  /** How many trials it was computed from. */
  trials: number;
  importance: { name: string; value: number }[];
  /** Parameters of which nothing can be said. */
  left_out: string[];
}

/** Where TensorBoard listens, on the server's own machine. */
export interface ITensorBoard {
  port: number;
  /** Whether the Jupyter server passes `proxy/PORT/` on. */
  proxy: boolean;
}

/** What a study runs. */
export interface IAbout {
  function: string | null;
  source: string | null;
  data: Json;
  seed: number | null;
  plan: Json;
  stop: Json;
  timeout: number | null;
  target: number | null;
  retries: number | null;
  cluster: Json;
  lineage: { upstream: ILineageEdge[]; downstream: ILineageEdge[] };
}

export interface INotes {
  text: string;
  /** Null where nobody wrote anything yet. */
  modified: number | null;
}
