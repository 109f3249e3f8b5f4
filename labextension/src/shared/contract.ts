/**
 * What the server half answers, as its REST contract (version 1) words it.
 *
 * Times are seconds since the epoch; an unknown number is `null`, never NaN.
 */

/** The version of the REST contract that these panels were written for. */
export const API_VERSION = 1;

/** The schema of the event that says which topics of the workspace changed. */
export const CHANGED_SCHEMA = 'https://eolab.dev/events/workspace_changed/v1';

export interface IStatus {
  version: string;
  api: number;
  workspace: { id: string; name: string; path: string };
  /** Whether the workspace holds the simulated sample region. */
  sample: boolean;
}

export interface ISkipped {
  href: string;
  message: string;
}

export interface ICatalog {
  name: string;
  kind: string;
  url: string;
  description: string;
  simulated: boolean;
  /** Somebody added it, and may change and remove it. */
  own: boolean;
}

export interface ICatalogs {
  catalogs: ICatalog[];
}

export type BBox = [number, number, number, number];

export interface ICollection {
  id: string;
  title: string;
  description: string;
  license: string | null;
  items: number | null;
  bbox: BBox | null;
  interval: [string | null, string | null];
  simulated: boolean;
}

export interface ICollections {
  collections: ICollection[];
  skipped: ISkipped[];
}

export interface IItem {
  id: string;
  collection: string;
  datetime: string | null;
  /** Percent. */
  cloud_cover: number | null;
  platform: string | null;
  bbox: BBox | null;
  epsg: number | null;
  thumbnail: boolean;
  bands: string[];
  notes: string[];
}

export interface IItems {
  items: IItem[];
  matched: number | null;
  skipped: ISkipped[];
}

export interface IColumn {
  name: string;
  type: string;
  /** Empty where nobody said it. */
  unit: string;
  description: string;
}

export interface ICommit {
  version: number;
  time: number;
  rows: number;
  operation: string;
}

export interface IFeatureGroup {
  name: string;
  version: number;
  description: string;
  primary_key: string[];
  event_time: string | null;
  rows: number;
  columns: IColumn[];
  commits: number;
  last_commit: ICommit | null;
  tags: string[];
  keywords: string[];
  owner: string;
  /** Whether its newest rows are served by key. */
  online: boolean;
}

/** One commit of a group, in full. */
export interface IGroupCommit extends ICommit {
  /** Of its rows, those whose key was not there. */
  new: number;
  /** The newest ingestion time after it, microseconds since the epoch. */
  ingested: number;
  /** Rows of the group after it. */
  total: number;
}

/** How one insert met the expectations of its group. */
export interface IValidation {
  time: number;
  rows: number;
  outcome: 'met' | 'warned' | 'refused';
  /** How many rows broke each expectation that was broken. */
  failed: Record<string, number>;
  expectations: number;
  commit: number | null;
}

/** Everything of a group but its rows. */
export interface IGroupDetails extends IFeatureGroup {
  created: number;
  geometry: { columns: string[]; crs: string } | null;
  expectations: Record<string, string>;
  policy: string;
  parents: string[];
  /** Newest first. */
  history: IGroupCommit[];
  /** Newest first. */
  validations: IValidation[];
  correlations: {
    columns: string[];
    values: (number | null)[][];
    rows: number;
  };
  /** The cell or script of the newest commit. */
  made_by: { notebook?: string; code?: string; script?: string };
}

/** A page of a group's rows: times in seconds, geometries as WKT. */
export interface IGroupRows {
  columns: string[];
  rows: Scalar[][];
  total: number;
}

/** Where a group's things are, longitude before latitude. */
export interface IGroupPlaces {
  points: [number, number][];
  /** The outer rings of areas, in the order of the points; empty where not all are areas. */
  outlines: [number, number][][];
  /** How many have a place; the points are a sample where these are more. */
  total: number;
  kind: 'point' | 'line' | 'area' | 'mixed';
}

export interface ITrainingDataset {
  version: number;
  description: string;
  created: number | null;
  by?: string;
  /** Samples of each part. */
  parts?: Record<string, number | null>;
  /** Why it cannot be read; null where it can. */
  fault: string | null;
}

export interface ILineageNode {
  id: string;
  kind: string;
  name: string;
  side: 'self' | 'upstream' | 'downstream';
}

/** What something was made from, and what of it. */
export interface ILineageGraph {
  nodes: ILineageNode[];
  /** Ids: the second was made from the first. */
  edges: [string, string][];
  left_out: number;
}

/** The form that makes a view. */
export interface IViewForm {
  name: string;
  version: number;
  description: string;
  labels: { group: string; column: string };
  features: { group: string; columns: string[]; prefix: string }[];
}

export interface IFeatureView {
  name: string;
  version: number;
  description: string;
  labels: string[];
  features: number;
  /** Written as `name/version`. */
  groups: string[];
  created: number;
  /** The group whose rows are the samples, written as `name/version`. */
  label_group: string;
  columns: { name: string; group: string; column: string }[];
  /** The steps of sequences; null where there are none. */
  steps: { start: string; end: string; every: string } | null;
  datasets: ITrainingDataset[];
}

export interface IFeatures {
  groups: IFeatureGroup[];
  views: IFeatureView[];
}

export type Scalar = string | number | boolean | null;

export interface IColumnStatistics {
  column: string;
  count: number;
  nulls: number;
  distinct: number | null;
  min: Scalar;
  max: Scalar;
  mean: number | null;
  std: number | null;
  histogram: { edges: number[]; counts: number[] } | null;
  top: [Scalar, number][] | null;
}

export interface IGroupStatistics {
  commit: number;
  statistics: IColumnStatistics[];
}

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

/** Any JSON value. */
export type Json =
  Scalar | readonly Json[] | { readonly [key: string]: Json | undefined };

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

export interface ILineageEdge {
  kind: string;
  id: string;
}

export interface IModelVersion {
  version: number;
  aliases: string[];
  created: number;
  description?: string;
  flavour: string;
  study: string | null;
  params: Params;
  metrics: Record<string, number | null>;
  lineage: ILineageEdge[];
}

export interface IRegisteredModel {
  name: string;
  versions: IModelVersion[];
}

export interface IModels {
  models: IRegisteredModel[];
}

/** What a cell's output holds; the picture itself is drawn from the workspace. */
export interface IViewOutput {
  format: number;
  view: string;
  name: string;
  workspace: string;
}
