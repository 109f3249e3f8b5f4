import type { IFoundItem } from '../../../server/contract';

/** By what found items can be put in order; without, they come as they were found. */
export type Key = 'datetime' | 'cloud_cover' | 'platform' | 'orbit' | 'id';

export interface IOrder {
  key: Key;
  descending: boolean;
}

/** Items in an order; those that do not say it stand at the end. */
export function sortItems(
  items: readonly IFoundItem[],
  order: IOrder | null
): readonly IFoundItem[] {
  if (!order) {
    return items;
  }
  const { key, descending } = order;
  const side = descending ? -1 : 1;
  return [...items].sort((one, other) => {
    const [a, b] = [one[key], other[key]];
    if (a === null || b === null) {
      return Number(a === null) - Number(b === null);
    }
    return a < b ? -side : a > b ? side : 0;
  });
}

/** The order after a click on a column's head: up, down, as found. */
export function nextOrder(order: IOrder | null, key: Key): IOrder | null {
  if (order?.key !== key) {
    return { key, descending: false };
  }
  return order.descending ? null : { key, descending: true };
}
