import type { JSX } from 'react';

import type { StudyState, TrialState } from '../../server/contract';

interface IProps {
  state: StudyState | TrialState;
  word: string;
  title?: string;
}

/** A state as a coloured shape and its word; the shape says it without the colour. */
export function StateChip({ state, word, title }: IProps): JSX.Element {
  return (
    <span className="eolab-State" data-state={state} title={title}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        <path d={SHAPES[state]} />
      </svg>
      <span>{word}</span>
    </span>
  );
}

const DISC = 'M5 1a4 4 0 1 0 0 8 4 4 0 0 0 0-8z';
const RING = `${DISC}M5 3a2 2 0 1 1 0 4 2 2 0 0 1 0-4z`;
const CROSS =
  'M2.400 1 5 3.600 7.600 1 9 2.400 6.400 5 9 7.600 7.600 9 5 6.400 2.400 9 1 7.600 3.600 5 1 2.400z';

const SHAPES: Record<StudyState | TrialState, string> = {
  starting: RING,
  queued: RING,
  waiting: 'M2 1h6v1.500L6 5l2 2.500V9H2V7.500L4 5 2 2.500z',
  running: 'M2 1l7 4-7 4z',
  paused: 'M1.500 1h2.500v8H1.500zM6 1h2.500v8H6z',
  completed: 'M3.800 8.600.600 5.400 2 4l1.800 1.800L8 1.600 9.400 3z',
  failed: CROSS,
  cancelled: 'M1.500 1.500h7v7h-7z',
  stopped: 'M1.500 1.500h7v7h-7z',
  interrupted: 'M4 1h2v5H4zm0 6.300h2V9H4z'
};
