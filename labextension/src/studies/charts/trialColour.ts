import type { ISpan, ITrial } from '../../server/contract';
import type { IPalette } from '../../ui/theme';

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

/** The colour of an attempt in the timeline. */
export function spanColour(
  outcome: ISpan['outcome'],
  palette: IPalette
): string {
  switch (outcome) {
    case 'lost':
      return palette.bad;
    case 'retried':
    case 'interrupted':
      return palette.line;
    default:
      return trialColour(outcome, palette);
  }
}
