import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { ICatalogs, ICollections } from '../shared/contract';
import { Resource } from '../shared/resource';
import { RoomModel } from '../shared/roomModel';
import { ItemsModel } from './itemsModel';
import { Thumbnails } from './thumbnails';

/** Catalogues, their collections and items, each fetched when somebody opens it. */
export class CatalogModel extends RoomModel {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    super();
    this.thumbnails = new Thumbnails(_client);
  }

  /** Small pictures of items. */
  readonly thumbnails: Thumbnails;

  /** The catalogues that the workspace names. */
  get catalogs(): Resource<ICatalogs> {
    return this.part(
      ['catalogs'],
      () =>
        new Resource({
          fetch: () => this._client.get<ICatalogs>('catalogs'),
          topics: ['catalog'],
          changes: this._changes,
          interval: () => 300_000
        })
    );
  }

  /** The collections of one catalogue. */
  collections(catalog: string): Resource<ICollections> {
    return this.part(
      ['collections', catalog],
      () =>
        new Resource({
          fetch: () =>
            this._client.get<ICollections>(
              `catalogs/${encodeURIComponent(catalog)}/collections`
            ),
          topics: ['catalog'],
          changes: this._changes,
          interval: () => 600_000
        })
    );
  }

  /** The items of one collection, under its own filter. */
  items(catalog: string, collection: string): ItemsModel {
    return this.part(
      ['items', catalog, collection],
      () => new ItemsModel(this._client, this._changes, catalog, collection)
    );
  }

  override dispose(): void {
    this.thumbnails.dispose();
    super.dispose();
  }
}
