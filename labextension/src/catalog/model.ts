import type { IDisposable } from '@lumino/disposable';

import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { ICatalogs, ICollections } from '../shared/contract';
import { Resource } from '../shared/resource';
import { ItemsModel } from './itemsModel';
import { Thumbnails } from './thumbnails';

/** Catalogues, their collections and items, each fetched when somebody opens it. */
export class CatalogModel implements IDisposable {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    this.catalogs = new Resource({
      fetch: () => _client.get<ICatalogs>('catalogs'),
      topics: ['catalog'],
      changes: _changes,
      interval: () => 300_000
    });
    this.thumbnails = new Thumbnails(_client);
  }

  /** The catalogues that the workspace names. */
  readonly catalogs: Resource<ICatalogs>;

  /** Small pictures of items. */
  readonly thumbnails: Thumbnails;

  /** The collections of one catalogue. */
  collections(catalog: string): Resource<ICollections> {
    let resource = this._collections.get(catalog);
    if (!resource) {
      resource = new Resource({
        fetch: () =>
          this._client.get<ICollections>(
            `catalogs/${encodeURIComponent(catalog)}/collections`
          ),
        topics: ['catalog'],
        changes: this._changes,
        interval: () => 600_000
      });
      this._collections.set(catalog, resource);
    }
    return resource;
  }

  /** The items of one collection, under its own filter. */
  items(catalog: string, collection: string): ItemsModel {
    const key = JSON.stringify([catalog, collection]);
    let model = this._items.get(key);
    if (!model) {
      model = new ItemsModel(this._client, this._changes, catalog, collection);
      this._items.set(key, model);
    }
    return model;
  }

  /** Say that everything is old. */
  invalidate(): void {
    this.catalogs.invalidate();
    this._collections.forEach(resource => resource.invalidate());
    this._items.forEach(model => model.invalidate());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.catalogs.dispose();
    this.thumbnails.dispose();
    this._collections.forEach(resource => resource.dispose());
    this._items.forEach(model => model.dispose());
  }

  private readonly _collections = new Map<string, Resource<ICollections>>();
  private readonly _items = new Map<string, ItemsModel>();
  private _isDisposed = false;
}
