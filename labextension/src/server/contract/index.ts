/**
 * What the server half answers, as its REST contract (version 1) words it.
 *
 * Times are seconds since the epoch; an unknown number is `null`, never NaN.
 */

export type * from './catalog';
export type * from './common';
export type * from './features';
export type * from './models';
export type * from './studies';

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

/** What a cell's output holds; the picture itself is drawn from the workspace. */
export interface IViewOutput {
  format: number;
  view: string;
  name: string;
  workspace: string;
}
