import type { WorkspaceChanges } from '../../server/changes';
import type { Client, Query } from '../../server/client';
import type { IItems } from '../../server/contract';
import { Resource } from '../../server/resource';

/** What items are asked for; an empty text asks for everything. */
export interface IItemsFilter {
  /** ISO days, both inclusive. */
  start: string;
  end: string;
  /** Percent; 100 asks for everything, items of unknown cloud included. */
  maxCloud: number;
}

export const EVERYTHING: IItemsFilter = { start: '', end: '', maxCloud: 100 };

const PAGE = 50;

/** The items of one collection under a filter, page after page. */
export class ItemsModel extends Resource<IItems> {
  constructor(
    client: Client,
    changes: WorkspaceChanges,
    catalog: string,
    collection: string
  ) {
    super({
      fetch: () =>
        client.get<IItems>(
          `catalogs/${encodeURIComponent(catalog)}/items`,
          itemsQuery(collection, this._filter, this._limit)
        ),
      topics: ['catalog'],
      changes,
      interval: () => 600_000
    });
  }

  get filter(): IItemsFilter {
    return this._filter;
  }

  /** Ask for other items, from the first page on. */
  async setFilter(filter: IItemsFilter): Promise<void> {
    this._filter = filter;
    this._limit = PAGE;
    await this.refresh();
  }

  /** Whether the server has more items than are shown. */
  get hasMore(): boolean {
    const { data } = this.state;
    if (!data) {
      return false;
    }
    return data.matched === null
      ? data.items.length >= this._limit
      : data.matched > data.items.length;
  }

  /** Ask for one page more. */
  async more(): Promise<void> {
    this._limit += PAGE;
    await this.refresh();
  }

  private _filter = EVERYTHING;
  private _limit = PAGE;
}

/** The query string of a filter; STAC writes an open end of an interval as `..`. */
export function itemsQuery(
  collection: string,
  filter: IItemsFilter,
  limit: number
): Query {
  const { start, end, maxCloud } = filter;
  return {
    collection,
    datetime: start || end ? `${start || '..'}/${end || '..'}` : null,
    max_cloud: maxCloud < 100 ? maxCloud : null,
    limit,
    offset: 0
  };
}
