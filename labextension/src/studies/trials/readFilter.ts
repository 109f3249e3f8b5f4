import type { TranslationBundle } from '@jupyterlab/translation';

import type { IStudySnapshot } from '../../server/contract';
import { FilterError, parseFilter, type TrialTest } from './filterTrials';

/** A filter as it was typed: what it keeps, or why it cannot be understood yet. */
export interface IReadFilter {
  keeps: TrialTest;
  fault: string | null;
}

/** Read a filter; one that cannot be understood keeps everything and says why. */
export function readFilter(
  text: string,
  study: IStudySnapshot,
  trans: TranslationBundle
): IReadFilter {
  try {
    return { keeps: parseFilter(text, study), fault: null };
  } catch (error) {
    if (!(error instanceof FilterError)) {
      throw error;
    }
    return { keeps: () => true, fault: faultWord(error, study, trans) };
  }
}

function faultWord(
  error: FilterError,
  study: IStudySnapshot,
  trans: TranslationBundle
): string {
  switch (error.kind) {
    case 'name':
      return trans.__(
        'No column “%1”. There are: %2.',
        error.found,
        [
          ...study.parameters.map(parameter => parameter.name),
          'value',
          'state',
          'number',
          'step',
          'time',
          'worker',
          'attempts',
          'error'
        ].join(', ')
      );
    case 'token':
      return trans.__(
        '“%1” does not fit there. Write it like: value > 0.8 and state == completed',
        error.found
      );
    case 'end':
      return trans.__('The filter is not finished.');
  }
}
