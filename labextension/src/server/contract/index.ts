/**
 * The REST contract: times are seconds since the epoch; an unknown number is `null`, never NaN.
 *
 * `types.ts` is generated; what stands here comes another way than by a route.
 */

export * from './types';

/** The schema of the event that says which topics of the workspace changed. */
export const CHANGED_SCHEMA = 'https://eolab.dev/events/workspace_changed/v1';

/** What a cell's output holds; the picture itself is drawn from the workspace. */
export interface IViewOutput {
  format: number;
  view: string;
  name: string;
  workspace: string;
}
