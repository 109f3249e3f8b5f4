import { useState } from 'react';

import { useNow } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { hasEndedState } from './derive';

/**
 * The server's clock, as the last snapshot of a study told it.
 *
 * One object for as long as the study is looked at: what shows a time asks it each second, and
 * nothing else is drawn again for it.
 */
export interface IStudyClock {
  /** Whether the study is at work. */
  readonly ticking: boolean;
  /** Seconds since the epoch by the server's clock; those of the snapshot once the study rests. */
  now: () => number;
}

class StudyClock implements IStudyClock {
  get ticking(): boolean {
    return this._study !== null && !hasEndedState(this._study.state);
  }

  now(): number {
    const then = this._study?.now ?? 0;
    // The two clocks may differ: count on from what the server said.
    return this.ticking
      ? then + Math.max(0, Date.now() / 1000 - this._received)
      : then;
  }

  /** Set it by a snapshot that came at `received` by this machine's clock. */
  set(study: IStudySnapshot | null, received: number): void {
    this._study = study;
    this._received = received;
  }

  private _study: IStudySnapshot | null = null;
  private _received = 0;
}

/** The clock of a study that is followed. */
export function useStudyClock(
  study: IStudySnapshot | null,
  received: number
): IStudyClock {
  const [clock] = useState(() => new StudyClock());
  clock.set(study, received);
  return clock;
}

/** The moment by the server's clock, each second while the study is at work. */
export function useStudyNow(clock: IStudyClock): number {
  useNow(clock.ticking);
  return clock.now();
}
