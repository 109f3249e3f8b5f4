import { useState } from 'react';

/** What tells one row of a grid from another. */
export type RowKey = number | string;

/**
 * A place for each row in sight, kept for as long as it is.
 *
 * A row that another one pushes down stays as it is; one that leaves on one side is used again by
 * the one that comes on the other: changing a text costs a tenth of what making a row costs.
 *
 * @returns The place of a row, to be its key for React.
 */
export function useSlots(rows: readonly RowKey[]): (row: RowKey) => number {
  const [slots] = useState(() => new Slots());
  return slots.take(rows);
}

/** Who has which place. */
class Slots {
  take(rows: readonly RowKey[]): (row: RowKey) => number {
    const now = (this._places = assignSlots(this._places, rows));
    return row => now.get(row) ?? -1;
  }

  private _places: ReadonlyMap<RowKey, number> = new Map();
}

/** Places for rows: those that have one keep it, the others get the lowest free ones. */
export function assignSlots(
  before: ReadonlyMap<RowKey, number>,
  rows: readonly RowKey[]
): ReadonlyMap<RowKey, number> {
  const taken = new Set<number>();
  const next = new Map<RowKey, number>();
  for (const row of rows) {
    const slot = before.get(row);
    if (slot !== undefined) {
      next.set(row, slot);
      taken.add(slot);
    }
  }
  let free = 0;
  for (const row of rows) {
    if (!next.has(row)) {
      while (taken.has(free)) {
        free += 1;
      }
      next.set(row, free);
      taken.add(free);
    }
  }
  return next;
}
