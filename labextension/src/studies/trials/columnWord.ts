import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITrialColumn } from './trialRows';

/** What a column is called. */
export function columnWord(
  column: ITrialColumn,
  metric: string,
  trans: TranslationBundle
): string {
  if (column.param !== null) {
    return column.param;
  }
  switch (column.id) {
    case 'n':
      return trans.__('Trial');
    case 'state':
      return trans.__('State');
    case 'value':
      return metric;
    case 'step':
      return trans.__('Step');
    case 'duration':
      return trans.__('Time');
    case 'worker':
      return trans.__('Worker');
    default:
      return trans.__('Error');
  }
}
