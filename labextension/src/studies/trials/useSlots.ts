import { useState } from 'react';

/**
 * A place for each trial in sight, kept for as long as it is.
 *
 * A trial that another one pushes down keeps its row; the row of a trial that leaves on one side is
 * used again by the one that comes on the other: changing a text costs a tenth of what making a row
 * costs.
 *
 * @returns The place of a trial, to be its row's key.
 */
export function useSlots(trials: readonly number[]): (trial: number) => number {
  const [slots] = useState(() => new Slots());
  return slots.take(trials);
}

/** Who has which place. */
class Slots {
  take(trials: readonly number[]): (trial: number) => number {
    const now = (this._places = assignSlots(this._places, trials));
    return trial => now.get(trial) ?? -1;
  }

  private _places: ReadonlyMap<number, number> = new Map();
}

/** Places for trials: those that have one keep it, the others get the lowest free ones. */
export function assignSlots(
  before: ReadonlyMap<number, number>,
  trials: readonly number[]
): ReadonlyMap<number, number> {
  const taken = new Set<number>();
  const next = new Map<number, number>();
  for (const trial of trials) {
    const slot = before.get(trial);
    if (slot !== undefined) {
      next.set(trial, slot);
      taken.add(slot);
    }
  }
  let free = 0;
  for (const trial of trials) {
    if (!next.has(trial)) {
      while (taken.has(free)) {
        free += 1;
      }
      next.set(trial, free);
      taken.add(free);
    }
  }
  return next;
}
