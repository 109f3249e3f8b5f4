/* eslint-disable */
/**
 * What the server half takes and answers: made by `python scripts/contract.py` from the Python types
 * of the routes (eolab/server/contract). Change those, not this file.
 */

/** The version of the contract. */
export const API_VERSION = 3;

export type BBox = [number, number, number, number];
export type Command = 'pause' | 'resume' | 'cancel' | 'stop' | 'retry' | 'set';
export type CommandRequest =
  IStudyCommandRequest | ITrialCommandRequest | ISetCommandRequest;
export type FlatRing = number[];
/**
 * Any JSON value.
 */
export type Json =
  | (string | number | boolean | null)
  | Json[]
  | {
      [k: string]: Json;
    };
export type Point = [number, number | null];
export type Scalar = string | number | boolean | null;
export type Period = 'day' | 'week' | 'month' | 'year';
export type Position = [number, number];
export type TrialState =
  'queued' | 'running' | 'completed' | 'failed' | 'stopped';
export type StudyState =
  | 'starting'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'interrupted';

export interface IStudyCommandRequest {
  command: 'pause' | 'resume' | 'cancel';
}
export interface ITrialCommandRequest {
  command: 'stop' | 'retry';
  /**
   * The trial's number.
   */
  number: number;
}
export interface ISetCommandRequest {
  command: 'set';
  trials?: number;
  workers?: number;
}
/**
 * What an ablation has shown so far.
 */
export interface IAblation {
  metric: string;
  level: number;
  planned: number;
  ended: number;
  /**
   * The baseline, then the others from the largest drop to the smallest.
   */
  rows: IAblationRow[];
  pairs: IPairEstimate[];
  /**
   * The value of each part where all subsets were run, the largest first.
   */
  shapley: INamedEstimate[];
  /**
   * What else each run reported, with the drop of each variant.
   */
  metrics: IAblationMetric[];
  notes: string[];
}
export interface IAblationRow {
  variant: string;
  removed: string[];
  runs: number;
  mean: number | null;
  /**
   * Standard deviation of the runs.
   */
  std: number | null;
  /**
   * How much worse than the baseline on the same folds and seeds; null for the baseline.
   */
  drop: IEstimate | null;
  /**
   * p after Holm's correction for all variants.
   */
  corrected: number | null;
  seconds: number | null;
  cost: {
    [k: string]: number;
  };
  words: string | null;
}
/**
 * A mean of paired differences and how sure it is.
 */
export interface IEstimate {
  value: number;
  low: number | null;
  high: number | null;
  p: number | null;
  pairs: number;
  level: number;
}
export interface IPairEstimate {
  value: number;
  low: number | null;
  high: number | null;
  p: number | null;
  pairs: number;
  level: number;
  a: string;
  b: string;
}
export interface INamedEstimate {
  value: number;
  low: number | null;
  high: number | null;
  p: number | null;
  pairs: number;
  level: number;
  name: string;
}
export interface IAblationMetric {
  name: string;
  drops: {
    [k: string]: number | null;
  };
}
/**
 * What a study runs, as its `study.json` says it.
 */
export interface IAbout {
  function: string | null;
  source: string | null;
  data: Json;
  seed: number | null;
  plan: Json;
  stop: Json;
  trials: number | null;
  workers: number | null;
  timeout: number | null;
  target: number | null;
  trial_timeout: number | null;
  retries: number | null;
  memory: Json;
  cluster: Json;
  digest: IDigests | null;
  python: string | null;
  lineage: ILineage;
}
/**
 * Hashes of what a study must be to be the same one.
 */
export interface IDigests {
  version?: number;
  code: string;
  space: string;
  data: string;
  options: string;
}
/**
 * What a node was made from, and what was made from it; nearest first.
 */
export interface ILineage {
  upstream: IRef[];
  downstream: IRef[];
}
/**
 * A node as plain JSON.
 */
export interface IRef {
  kind: string;
  id: string;
}
export interface IAccepted {
  accepted: boolean;
}
export interface IAsset {
  key: string;
  title: string;
  type: string;
  roles: string[];
  href: string;
  /**
   * Bytes, where the catalogue says so.
   */
  size: number | null;
}
/**
 * Where trials are stopped early: a bound at each step.
 */
export interface IBand {
  bounds: IBound[];
}
export interface IBound {
  /**
   * On which side of the bound a trial is stopped.
   */
  side: 'below' | 'above';
  /**
   * What is compared with the bound: the best value so far, or the newest one.
   */
  of: 'best' | 'last';
  points: Point[];
}
/**
 * The best completed trial, in short.
 */
export interface IBestTrial {
  trial: number;
  value: number | null;
  params: Params;
}
export interface Params {
  [k: string]: Scalar;
}
/**
 * What was deleted.
 */
export interface IBinEntry {
  kind: string;
  id: string;
  entry: string;
  title: string;
  deleted: number;
}
/**
 * What a study may use: None for no limit.
 */
export interface IBudget {
  trials: number;
  /**
   * Seconds.
   */
  timeout: number | null;
  target: number | null;
}
export interface ICalendar {
  passes: IOverpass[];
  /**
   * Why nobody knows what is clear.
   */
  reason: string;
  /**
   * Whether there are older ones.
   */
  older: boolean;
}
export interface IOverpass {
  date: string | null;
  orbit: number | null;
  direction: string | null;
  platform: string | null;
  baseline: string;
  /**
   * Percent.
   */
  cloud_cover: number | null;
  /**
   * Without cloud, of the pixels that the scenes cover: 0 to 1.
   */
  valid: number | null;
  /**
   * Of the area: 0 to 1.
   */
  covered: number | null;
  items: string[];
}
export interface ICalendarRequest {
  collection: string;
  /**
   * A GeoJSON polygon in degrees.
   */
  geometry: Json;
  datetime?: string | null;
}
export interface ICatalog {
  name: string;
  kind: string;
  url: string;
  description: string;
  simulated: boolean;
  /**
   * Somebody added it, and may change and remove it.
   */
  own: boolean;
}
export interface ICatalogs {
  catalogs: ICatalog[];
}
export interface IChangeCatalogRequest {
  token?: string;
  sign?: string;
  client_id?: string;
  client_secret?: string;
  token_url?: string;
  scope?: string;
  headers?: {
    [k: string]: Json;
  };
  s3?: {
    [k: string]: Json;
  };
  url: string;
  kind?: string;
  description?: string;
}
export interface ICollection {
  id: string;
  title: string;
  description: string;
  license: string;
  items: number | null;
  bbox: BBox | null;
  interval: [string | null, string | null];
  simulated: boolean;
}
export interface ICollections {
  collections: ICollection[];
  skipped: ISkipped[];
}
export interface ISkipped {
  href: string;
  message: string;
}
export interface IColumn {
  name: string;
  type: string;
  /**
   * Empty where nobody said it.
   */
  unit: string;
  description: string;
}
export interface IColumnStatistics {
  column: string;
  count: number;
  nulls: number;
  distinct: number | null;
  min: Scalar;
  max: Scalar;
  mean: number | null;
  std: number | null;
  /**
   * The 5, 25, 50, 75 and 95 % quantiles.
   */
  quantiles: number[] | null;
  histogram: IHistogram | null;
  /**
   * The most frequent values with their counts.
   */
  top: [string, number][] | null;
}
export interface IHistogram {
  edges: number[];
  counts: number[];
}
export interface ICommit {
  version: number;
  time: number;
  rows: number;
  operation: string;
}
export interface ICorrelations {
  columns: string[];
  values: (number | null)[][];
  rows: number;
}
/**
 * What can be done with a thing, and what hangs on it.
 */
export interface IDependents {
  kind: string;
  id: string;
  commands: ('delete' | 'rename' | 'archive' | 'restore')[];
  /**
   * Why it cannot be deleted now; empty where it can.
   */
  refusal: string;
  /**
   * What cannot be used any more without it: deleted with it.
   */
  broken: IRef[];
  /**
   * What was made from it and stays.
   */
  made: IRef[];
}
/**
 * A download; interrupted: its process is gone.
 */
export interface IDownload {
  id: string;
  catalog: string;
  /**
   * How many.
   */
  items: number;
  assets: string[];
  state:
    'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  message: string;
  /**
   * Bytes.
   */
  done: number;
  total: number;
  files: IDownloadFile[];
  folder: string;
}
/**
 * One file of a download.
 */
export interface IDownloadFile {
  item: string;
  asset: string;
  /**
   * Below the folder.
   */
  path: string;
  state: 'waiting' | 'running' | 'done' | 'there' | 'failed';
  /**
   * Bytes.
   */
  done: number;
  /**
   * Null where nobody said it.
   */
  total: number | null;
  message: string;
}
export interface IDownloadCommandRequest {
  command: 'cancel' | 'resume' | 'forget';
}
export interface IDownloadRequest {
  catalog: string;
  items: [string, string][];
  /**
   * Keys; none takes those that hold the data.
   */
  assets?: string[];
}
export interface IDownloads {
  /**
   * Where files go.
   */
  folder: string;
  downloads: IDownload[];
}
export interface IEmptyRequest {}
/**
 * How things are shown, and the bin.
 */
export interface IEntities {
  shown: IShown[];
  /**
   * The latest first.
   */
  bin: IBinEntry[];
  /**
   * How long it keeps them.
   */
  days: number;
}
/**
 * A thing with a title, or one that lists leave out.
 */
export interface IShown {
  kind: string;
  id: string;
  title: string;
  archived: boolean;
}
/**
 * Any error: a status of 400 or above with this body.
 */
export interface IError {
  message: string;
  hint: string;
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
  /**
   * Whether its newest rows are served by key.
   */
  online: boolean;
}
export interface IFeatureView {
  name: string;
  version: number;
  description: string;
  labels: string[];
  features: number;
  /**
   * Written as `name/version`.
   */
  groups: string[];
  created: number;
  /**
   * The group whose rows are the samples, written as `name/version`.
   */
  label_group: string;
  /**
   * What its labels are; null where it has none, or nothing tells yet.
   */
  task: ('classification' | 'regression') | null;
  columns: IViewColumn[];
  /**
   * The steps of sequences; null where there are none.
   */
  steps: ISteps | null;
  datasets: ITrainingDataset[];
}
export interface IViewColumn {
  name: string;
  group: string;
  column: string;
}
/**
 * `Steps` as plain JSON.
 */
export interface ISteps {
  start: string;
  end: string;
  every: string;
  how: 'mean' | 'last';
  fill: ('previous' | 'linear') | null;
  max_gap: string | null;
  last?: string | null;
}
export interface ITrainingDataset {
  version: number;
  description: string;
  created: number | null;
  by?: string;
  /**
   * Samples of each part.
   */
  parts?: {
    [k: string]: number | null;
  };
  /**
   * Why it cannot be read; null where it can.
   */
  fault: string | null;
}
export interface IFeatures {
  groups: IFeatureGroup[];
  views: IFeatureView[];
}
export interface IFieldCurve {
  index: string;
  points: IFieldPoint[];
  /**
   * Dates that are left out: less than half of the area is clear.
   */
  cloudy: number;
  /**
   * Whether clouds were masked.
   */
  masked: boolean;
  pixels: number;
  /**
   * Whether there are older scenes.
   */
  older: boolean;
  simulated: boolean;
}
export interface IFieldPoint {
  date: string;
  value: number;
  /**
   * Standard deviation of the pixels.
   */
  std: number;
  valid: number;
  /**
   * Ids of its scenes, between commas.
   */
  item: string;
}
export interface IFieldCurveRequest {
  collection: string;
  /**
   * A GeoJSON polygon in degrees.
   */
  geometry: Json;
  datetime?: string | null;
  /**
   * Percent.
   */
  max_cloud?: number | null;
  index?: string | null;
}
/**
 * What lies in a folder that somebody types.
 */
export interface IFolder {
  /**
   * As the machine calls it.
   */
  path: string;
  /**
   * Its folders (ending in a slash) and rasters whose names begin as typed.
   */
  entries: string[];
  /**
   * Rasters that lie in the folder itself, or in the folders in it.
   */
  rasters: number;
  /**
   * Whether it is a STAC catalogue already.
   */
  stac: boolean;
  /**
   * False where so much lies there that looking was ended: there may be more of all.
   */
  whole: boolean;
}
/**
 * The items that answer a query.
 */
export interface IFound {
  items: IFoundItem[];
  /**
   * Null where nobody counted.
   */
  matched: number | null;
  histogram: IItemHistogram;
  /**
   * Why the answer stops short.
   */
  message: string;
  skipped: ISkipped[];
}
export interface IFoundItem {
  id: string;
  collection: string;
  datetime: string | null;
  /**
   * Percent.
   */
  cloud_cover: number | null;
  platform: string | null;
  orbit: number | null;
  /**
   * Outer rings of the footprint.
   */
  rings: FlatRing[];
  thumbnail: boolean;
  simulated: boolean;
  /**
   * What to know before loading.
   */
  note: string;
}
export interface IItemHistogram {
  period: Period;
  /**
   * First day of each bar, and how many items.
   */
  bins: [string, number][];
  /**
   * Whether all items were counted, or only those that came.
   */
  whole: boolean;
}
/**
 * One commit of a group, in full.
 */
export interface IGroupCommit {
  version: number;
  time: number;
  rows: number;
  operation: string;
  /**
   * Of its rows, those whose key was not there.
   */
  new: number;
  /**
   * The newest ingestion time after it, microseconds since the epoch.
   */
  ingested: number;
  /**
   * Rows of the group after it.
   */
  total: number;
  /**
   * Whether the table holds several rows of one key.
   */
  changed: boolean;
  /**
   * Whether rows were ever deleted.
   */
  deleted: boolean;
}
/**
 * Everything of a group but its rows.
 */
export interface IGroupDetails {
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
  /**
   * Whether its newest rows are served by key.
   */
  online: boolean;
  created: number;
  geometry: IGroupGeometry | null;
  expectations: {
    [k: string]: string;
  };
  policy: string;
  parents: string[];
  /**
   * Newest first.
   */
  history: IGroupCommit[];
  /**
   * Newest first.
   */
  validations: IValidation[];
  correlations: ICorrelations;
  /**
   * The cell or script of the newest commit.
   */
  made_by: IMadeBy;
}
export interface IGroupGeometry {
  columns: string[];
  crs: string;
  /**
   * Whether rows are pixels of a grid.
   */
  pixels: boolean;
}
/**
 * How one insert met the expectations of its group.
 */
export interface IValidation {
  time: number;
  rows: number;
  outcome: 'met' | 'warned' | 'refused';
  /**
   * How many rows broke each expectation that was broken.
   */
  failed: {
    [k: string]: number;
  };
  expectations: number;
  commit: number | null;
}
/**
 * The cell or script of a commit.
 */
export interface IMadeBy {
  notebook?: string;
  code?: string;
  script?: string;
}
/**
 * Where a group's rows are, longitude before latitude.
 */
export interface IGroupPlaces {
  points: Position[];
  /**
   * The outer rings of areas, in the order of the points; empty where not all are areas.
   */
  outlines: Position[][];
  /**
   * How many have a place; the points are a sample where these are more.
   */
  total: number;
  kind: 'point' | 'line' | 'area' | 'mixed';
}
/**
 * A page of a group's rows: times in seconds, geometries as WKT.
 */
export interface IGroupRows {
  columns: string[];
  rows: Scalar[][];
  total: number;
}
export interface IGroupStatistics {
  commit: number;
  statistics: IColumnStatistics[];
}
/**
 * A trial of which only the new end of the curve is sent.
 */
export interface IGrownTrial {
  number: number;
  state: TrialState;
  params: Params;
  value: number | null;
  started: number | null;
  ended: number | null;
  attempts: number;
  worker: string | null;
  error: string | null;
  tail: Point[];
}
export interface IImportance {
  method: string;
  /**
   * How many trials it was computed from.
   */
  trials: number;
  importance: INamedValue[];
  /**
   * Parameters of which nothing can be said.
   */
  left_out: string[];
}
export interface INamedValue {
  name: string;
  value: number;
}
/**
 * Rasters on their way into a collection; interrupted: the process is gone.
 */
export interface IIngest {
  id: string;
  /**
   * Name of the catalogue in the workspace.
   */
  catalog: string;
  paths: string[];
  state:
    'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  /**
   * What is being done.
   */
  step: string;
  done: number;
  /**
   * Of this step; 0 where nobody knows.
   */
  total: number;
  /**
   * Items that were made.
   */
  items: number;
  /**
   * Items that the collection holds now.
   */
  holds: number;
  /**
   * The first of them.
   */
  skipped: ISkippedFile[];
  skipped_count: number;
  notes: string[];
  /**
   * Why it failed.
   */
  message: string;
  hint: string;
}
export interface ISkippedFile {
  href: string;
  message: string;
}
export interface IIngestCommandRequest {
  command: 'cancel' | 'forget';
}
export interface IIngestPreview {
  /**
   * Id of the collection; empty where none is named.
   */
  collection: string;
  /**
   * Where its documents go.
   */
  folder: string;
  files: IPreviewedFile[];
  /**
   * Rasters that were found, of which the first are shown.
   */
  found: number;
  /**
   * Whether all entries of the folders were looked at.
   */
  whole: boolean;
  /**
   * Items that come of the files shown.
   */
  items: number;
  /**
   * Of these, how many the collection does not hold yet.
   */
  new: number;
  /**
   * Items that the collection holds now.
   */
  there: number;
  /**
   * Where files say something else than the user.
   */
  notes: string[];
}
export interface IPreviewedFile {
  path: string;
  /**
   * Ids of its items, the first of many.
   */
  items: string[];
  /**
   * How many items it is part of.
   */
  steps: number;
  /**
   * Its first time; null where nobody says.
   */
  start: string | null;
  end: string | null;
  time_from:
    'given' | 'name' | 'folder' | 'tags' | 'axis' | 'default' | 'missing';
  bands: IPreviewedBand[];
  crs: string;
  /**
   * Size of a pixel in units of the reference system.
   */
  resolution: number | null;
  /**
   * Of the resolution.
   */
  unit: string;
  /**
   * Whether the collection holds it already.
   */
  known: boolean;
  /**
   * Why it, or a part of it, is left out.
   */
  skipped: string[];
}
export interface IPreviewedBand {
  name: string;
  data_type: string;
  scale: number;
  scale_from: 'user' | 'file' | 'rule' | 'none';
  offset: number;
  offset_from: 'user' | 'file' | 'rule' | 'none';
  /**
   * As a number or "nan"; empty where there is none.
   */
  nodata: string;
  nodata_from: 'user' | 'file' | 'rule' | 'none';
  /**
   * Why its numbers become values so.
   */
  rule: string;
}
/**
 * Rasters, and what the user says of them, as `eolab.ingest` takes it.
 */
export interface IIngestRequest {
  /**
   * Folders and files: absolute, or as the file browser shows them.
   */
  paths: string[];
  /**
   * Name of the catalogue in the workspace.
   */
  to?: string;
  collection?: string | null;
  pattern?: string | null;
  /**
   * Of files that tell none; or of some, by file name.
   */
  time?: Json;
  /**
   * Names, or names by file or pattern.
   */
  bands?: Json;
  /**
   * A number, or numbers by file, pattern or band.
   */
  scale?: Json;
  offset?: Json;
  nodata?: Json;
}
export interface IIngests {
  ingests: IIngest[];
}
export interface IItem {
  id: string;
  collection: string;
  datetime: string | null;
  /**
   * Percent.
   */
  cloud_cover: number | null;
  platform: string | null;
  bbox: BBox | null;
  epsg: number | null;
  /**
   * Whether there is something to draw.
   */
  thumbnail: boolean;
  bands: string[];
  /**
   * What to know before loading.
   */
  notes: string[];
}
export interface IItemBand {
  asset: string;
  index: number;
  name: string;
  common: string;
  /**
   * Micrometres.
   */
  wavelength: number | null;
  /**
   * Metres.
   */
  resolution: number | null;
  type: string | null;
  scale: number;
  offset: number;
  nodata: number | null;
  classes: boolean;
}
export interface IItemDetail {
  id: string;
  collection: string;
  datetime: string | null;
  bbox: BBox | null;
  properties: {
    [k: string]: Json;
  };
  assets: IAsset[];
  bands: IItemBand[];
  /**
   * Indices that its bands allow.
   */
  indices: string[];
  /**
   * Whether its clouds can be masked.
   */
  mask: boolean;
  simulated: boolean;
}
export interface IItemQueryRequest {
  collection?: string | null;
  bbox?: BBox | null;
  /**
   * A GeoJSON polygon in degrees.
   */
  intersects?: {
    [k: string]: Json;
  } | null;
  datetime?: string | null;
  /**
   * Percent.
   */
  max_cloud?: number | null;
  /**
   * CQL2 as JSON.
   */
  filter?: {
    [k: string]: Json;
  } | null;
  text?: string | null;
  limit?: number;
}
export interface IItems {
  items: IItem[];
  /**
   * Null where a service was not read to its end.
   */
  matched: number | null;
  skipped: ISkipped[];
}
/**
 * What something was made from, and what of it.
 */
export interface ILineageGraph {
  nodes: ILineageNode[];
  /**
   * Ids: the second was made from the first.
   */
  edges: [string, string][];
  left_out: number;
}
export interface ILineageNode {
  id: string;
  kind: string;
  name: string;
  side: 'self' | 'upstream' | 'downstream';
}
export interface IMade {
  id: string;
}
export interface IModelVersion {
  version: number;
  aliases: string[];
  created: number;
  description: string;
  flavour: string;
  study: string | null;
  params: Params;
  metrics: {
    [k: string]: number | null;
  };
  /**
   * What it was made from, nearest first.
   */
  lineage: IRef[];
}
export interface IModels {
  models: IRegisteredModel[];
}
export interface IRegisteredModel {
  name: string;
  versions: IModelVersion[];
}
export interface INewCatalogRequest {
  token?: string;
  sign?: string;
  client_id?: string;
  client_secret?: string;
  token_url?: string;
  scope?: string;
  headers?: {
    [k: string]: Json;
  };
  s3?: {
    [k: string]: Json;
  };
  url: string;
  kind?: string;
  description?: string;
  name: string;
}
export interface INotes {
  text: string;
  /**
   * Null where nobody wrote anything yet.
   */
  modified: number | null;
}
export interface INotesRequest {
  text: string;
  /**
   * As it was read: 409 where somebody else wrote meanwhile.
   */
  modified: number | null;
}
export interface IOwnCatalog {
  name: string;
  url: string;
  kind: string;
  description: string;
  login: {
    [k: string]: Json;
  };
  /**
   * What of the key store it alone names, by reference.
   */
  secrets: string[];
}
/**
 * A hyperparameter, as `Parameter.to_json` has it.
 */
export interface IParameter {
  name: string;
  kind: string;
  low: number | null;
  high: number | null;
  step: number | null;
  log: boolean | null;
  choices: Scalar[] | null;
  /**
   * Values of other parameters without which there is none of it.
   */
  when: Json;
}
export interface IQueryables {
  /**
   * A JSON schema for each property.
   */
  queryables: {
    [k: string]: {
      [k: string]: Json;
    };
  };
}
export interface IRemovedCatalog {
  catalogs: ICatalog[];
  /**
   * What names it again: its keys and those of its login.
   */
  was: INewCatalogRequest;
  /**
   * What was deleted from the key store.
   */
  secrets: string[];
  /**
   * What could not be deleted there, and why.
   */
  left: string[];
}
export interface ISaveRequest {
  kind: 'search' | 'area';
  name: string;
  /**
   * Null drops the entry.
   */
  value: Json;
}
/**
 * What people keep, by kind, each by name.
 */
export interface ISaved {
  search: ISavedEntry[];
  area: ISavedEntry[];
}
export interface ISavedEntry {
  name: string;
  value: Json;
}
/**
 * A result as plain JSON.
 */
export interface ISearchHit {
  id: string;
  title: string;
  /**
   * How to reach it.
   */
  detail: {
    [k: string]: Json;
  };
  bbox: BBox | null;
  start: number | null;
  end: number | null;
}
export interface ISearchHits {
  /**
   * By kind: collection, item, group, view, chips, study, model.
   */
  results: {
    [k: string]: ISearchHit[];
  };
  /**
   * Catalogues that could not be read, and why: what they hold now is not among the results.
   */
  unread: {
    [k: string]: string;
  };
}
/**
 * One attempt of one trial on one worker.
 */
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
export interface IStatus {
  version: string;
  /**
   * The version of this contract.
   */
  api: number;
  workspace: IWorkspace;
  /**
   * Whether the workspace holds the simulated sample region.
   */
  sample: boolean;
}
export interface IWorkspace {
  id: string;
  name: string;
  path: string;
}
/**
 * A worker while it was there.
 */
export interface IStay {
  id: string;
  start: number;
  end: number | null;
  ended: ('left' | 'lost') | null;
}
export interface IStudies {
  studies: IStudySummary[];
}
/**
 * One line of the studies list, with what can be asked of the study.
 */
export interface IStudySummary {
  name: string;
  kind: 'tune' | 'ablation';
  metric: string;
  direction: 'maximize' | 'minimize';
  created: number;
  state: StudyState;
  message: string;
  started: number | null;
  ended: number | null;
  now: number;
  budget: IBudget;
  /**
   * Trials by state.
   */
  counts: {
    queued: number;
    running: number;
    completed: number;
    failed: number;
    stopped: number;
  };
  best: IBestTrial | null;
  /**
   * At most 50 points of time and best value so far.
   */
  best_curve: Point[];
  workers_alive: number;
  /**
   * Grows with each event of the study's journal.
   */
  seq: number;
  /**
   * Those that are alive.
   */
  workers: IWorker[];
  /**
   * Commands that it takes in its state.
   */
  allowed: Command[];
}
/**
 * A worker as the panels get it.
 */
export interface IWorker {
  id: string;
  state: 'starting' | 'idle' | 'busy' | 'lost' | 'left';
  trial: number | null;
}
/**
 * A study, of which perhaps only the trials that changed since a `seq`.
 */
export interface IStudyAnswer {
  name: string;
  kind: 'tune' | 'ablation';
  metric: string;
  direction: 'maximize' | 'minimize';
  created: number;
  state: StudyState;
  message: string;
  started: number | null;
  ended: number | null;
  now: number;
  budget: IBudget;
  /**
   * Trials by state.
   */
  counts: {
    queued: number;
    running: number;
    completed: number;
    failed: number;
    stopped: number;
  };
  best: IBestTrial | null;
  /**
   * At most 50 points of time and best value so far.
   */
  best_curve: Point[];
  workers_alive: number;
  /**
   * Grows with each event of the study's journal.
   */
  seq: number;
  /**
   * Those that are alive.
   */
  workers: IWorker[];
  /**
   * Commands that it takes in its state.
   */
  allowed: Command[];
  parameters: IParameter[];
  /**
   * Commands about one trial that it takes, by the trial's state.
   */
  allowed_of_trials: {
    queued: Command[];
    running: Command[];
    completed: Command[];
    failed: Command[];
    stopped: Command[];
  };
  trials: (ITrial | IGrownTrial)[];
  /**
   * Whether `trials` holds only those that changed.
   */
  partial: boolean;
}
/**
 * A trial as the panels get it.
 */
export interface ITrial {
  number: number;
  state: TrialState;
  params: Params;
  value: number | null;
  started: number | null;
  ended: number | null;
  attempts: number;
  worker: string | null;
  error: string | null;
  curve: Point[];
}
/**
 * A study whole.
 */
export interface IStudySnapshot {
  name: string;
  kind: 'tune' | 'ablation';
  metric: string;
  direction: 'maximize' | 'minimize';
  created: number;
  state: StudyState;
  message: string;
  started: number | null;
  ended: number | null;
  now: number;
  budget: IBudget;
  /**
   * Trials by state.
   */
  counts: {
    queued: number;
    running: number;
    completed: number;
    failed: number;
    stopped: number;
  };
  best: IBestTrial | null;
  /**
   * At most 50 points of time and best value so far.
   */
  best_curve: Point[];
  workers_alive: number;
  /**
   * Grows with each event of the study's journal.
   */
  seq: number;
  /**
   * Those that are alive.
   */
  workers: IWorker[];
  /**
   * Commands that it takes in its state.
   */
  allowed: Command[];
  parameters: IParameter[];
  /**
   * Commands about one trial that it takes, by the trial's state.
   */
  allowed_of_trials: {
    queued: Command[];
    running: Command[];
    completed: Command[];
    failed: Command[];
    stopped: Command[];
  };
  trials: ITrial[];
}
/**
 * Where TensorBoard listens, on the server's own machine.
 */
export interface ITensorBoard {
  port: number;
  /**
   * Whether the Jupyter server passes `proxy/PORT/` on.
   */
  proxy: boolean;
}
/**
 * A thing after a command.
 */
export interface ITidied {
  kind: string;
  id: string;
  /**
   * Its entry in the bin where it was deleted, then those of what went with it.
   */
  entries: string[];
}
export interface ITidyRequest {
  kind: string;
  id: string;
  command: 'delete' | 'rename' | 'archive' | 'restore';
  /**
   * What it is called from now on, for rename.
   */
  title?: string;
  /**
   * Delete what cannot be read without it, too.
   */
  cascade?: boolean;
  /**
   * Which entry of the bin is restored; by default the last of this name.
   */
  entry?: string;
}
export interface ITimeline {
  spans: ISpan[];
  workers: IStay[];
  now: number;
}
/**
 * The end of what a trial printed.
 */
export interface ITrialLog {
  text: string;
  truncated: boolean;
}
/**
 * A view as it was made.
 */
export interface IView {
  name: string;
  version: number;
  description: string;
  labels: string[];
  features: number;
  /**
   * Written as `name/version`.
   */
  groups: string[];
}
export interface IViewFeaturesRequest {
  group: string;
  columns: string[];
  prefix: string;
}
export interface IViewLabelsRequest {
  /**
   * Written as `name/version`.
   */
  group: string;
  column: string;
}
/**
 * The form that makes a view.
 */
export interface IViewRequest {
  name: string;
  version: number;
  description: string;
  labels: IViewLabelsRequest;
  features: IViewFeaturesRequest[];
}
