/** What the server half answers about the feature store. */

import type { Scalar } from './common';

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
