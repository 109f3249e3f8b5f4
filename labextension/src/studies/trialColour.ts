import type { ITrial } from '../shared/contract';
import type { IPalette } from '../shared/theme';

/** The colour of a trial's state in pictures. */
export function trialColour(state: ITrial['state'], palette: IPalette): string {
  switch (state) {
    case 'running':
      return palette.good;
    case 'completed':
      return palette.accent;
    case 'failed':
      return palette.bad;
    default:
      return palette.line;
  }
}
