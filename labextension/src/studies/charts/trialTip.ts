import type { TranslationBundle } from '@jupyterlab/translation';

import type { IStudySnapshot, ITrial } from '../../server/contract';
import { formatScalar, formatValue } from '../../ui/format';
import type { ITip } from '../../ui/Tip';
import { trialStateWord } from '../text/words';
import { shownValue } from '../trials/trialRows';

/** More parameters than this make a tip that covers the picture. */
const LINES = 8;

/** What is said of a trial beside the pointer; a figure of the place itself may come first. */
export function trialTip(
  study: IStudySnapshot,
  trial: ITrial,
  trans: TranslationBundle,
  first: ITip['lines'] = []
): Omit<ITip, 'x' | 'y'> {
  const params = Object.entries(trial.params);
  return {
    title: trans.__(
      'Trial %1, %2',
      trial.number,
      trialStateWord(trial.state, trans)
    ),
    lines: [
      ...first,
      ...(first.some(([name]) => name === study.metric)
        ? []
        : [[study.metric, formatValue(shownValue(trial))] as const]),
      ...params
        .slice(0, LINES)
        .map(([name, value]) => [name, formatScalar(value)] as const)
    ],
    foot:
      params.length > LINES
        ? trans.__('and %1 more', params.length - LINES)
        : undefined
  };
}
