import type { WorkspaceChanges } from '../../server/changes';
import type { Client } from '../../server/client';
import type {
  ICalendar,
  ICatalogs,
  ICollections,
  IFieldCurve,
  IItemDetail,
  INewCatalogRequest,
  IOwnCatalog,
  IQueryables,
  IRemovedCatalog,
  ISaved
} from '../../server/contract';
import { Resource } from '../../server/resource';
import { RoomModel } from '../../server/roomModel';
import type { IBaseMap } from './baseMap';
import { Downloads } from './downloads';
import { Ingests } from './ingests';
import { ItemsModel } from './itemsModel';
import { SearchModel } from './searchModel';
import { Thumbnails } from './thumbnails';

/** Catalogues, their collections and items, each fetched when somebody opens it. */
export class CatalogModel extends RoomModel {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    super();
    this.thumbnails = new Thumbnails(_client);
    this.search = new SearchModel(_client);
    this.downloads = new Downloads(_client, _changes);
    this.ingests = new Ingests(_client, _changes);
  }

  /** A user's own rasters on their way into a collection. */
  readonly ingests: Ingests;

  /** Files of scenes on their way into the configured folder. */
  readonly downloads: Downloads;

  /** What the search tab asks and shows. */
  readonly search: SearchModel;

  /** Base maps that the user's settings name. */
  get baseMaps(): readonly IBaseMap[] {
    return this._baseMaps;
  }

  /** Offer these base maps from now on. */
  setBaseMaps(maps: readonly IBaseMap[]): void {
    this._baseMaps = maps;
    // A tab that came back may wait for its own.
    this.search.look({});
  }

  /** How pictures are drawn, kept from scene to scene. */
  get previewing(): IPreviewing {
    return this._previewing;
  }

  /** Draw the next picture so too. */
  keepPreviewing(previewing: IPreviewing): void {
    this._previewing = previewing;
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

  /** Searches and areas that are kept in the workspace. */
  get saved(): Resource<ISaved> {
    return this.part(
      ['saved'],
      () =>
        new Resource({
          fetch: () => this._client.get<ISaved>('saved'),
          topics: ['saved'],
          changes: this._changes,
          interval: () => 300_000
        })
    );
  }

  /** Keep a search or an area by a name; null drops it. */
  async keep(
    kind: keyof ISaved,
    name: string,
    value: object | null
  ): Promise<void> {
    await this._client.post('saved', { kind, name, value });
    await this.saved.refresh();
  }

  /** Say that somebody searches: the server half loads what a field's curve needs. */
  prepare(): void {
    // Without it the first curve comes later, no more than that.
    this._client.post('search/prepare', {}).catch(() => undefined);
  }

  /** Name one more catalogue in `eolab.toml`, with how it lets us in. */
  async add(source: INewCatalogRequest, login: object): Promise<void> {
    await this._client.post('catalogs', { ...source, ...login });
    await this.catalogs.refresh();
  }

  /** Rasters were added: what there is now is asked for. */
  added(): void {
    void this.catalogs.refresh();
    this.invalidate();
  }

  /** A catalogue that somebody added, as `eolab.toml` says it. */
  async entry(name: string): Promise<IOwnCatalog> {
    return this._client.get(`catalogs/${encodeURIComponent(name)}`);
  }

  /** Say another address of a catalogue, or another login. */
  async change({ name, ...rest }: NewSource, login: object): Promise<void> {
    const body = { ...rest, ...login };
    await this._client.put(`catalogs/${encodeURIComponent(name)}`, body);
    await this.catalogs.refresh();
    this._forget(name);
    if (this.search.state.query.catalog === name) {
      void this.search.run();
    }
  }

  /** Take a catalogue out of `eolab.toml`; with its secrets, out of the key store too. */
  async remove(name: string, secrets: boolean): Promise<IRemovedCatalog> {
    const path = `catalogs/${encodeURIComponent(name)}`;
    try {
      return await this._client.delete(path, { secrets: secrets ? 1 : 0 });
    } finally {
      // A lost answer too: what there is now is asked for.
      await this.catalogs.refresh();
      const { data } = this.catalogs.state;
      if (data && !data.catalogs.some(source => source.name === name)) {
        this.search.leave(name);
        this._forget(name);
      }
    }
  }

  /** What came of a catalogue that is another now, or gone. */
  private _forget(name: string): void {
    this.thumbnails.forget(name);
    this.clear(key => key[1] === name && key[0] !== 'saved');
  }

  /** What the items of a collection can be filtered by. */
  queryables(catalog: string, collection: string): Resource<IQueryables> {
    return this.part(['queryables', catalog, collection], () =>
      this._kept(() =>
        this._client.get(path(catalog, 'queryables'), { collection })
      )
    );
  }

  /** One item whole. */
  detail(
    catalog: string,
    collection: string,
    item: string
  ): Resource<IItemDetail> {
    return this.part(['detail', catalog, collection, item], () =>
      this._kept(() =>
        this._client.get(path(catalog, 'item'), { collection, item })
      )
    );
  }

  /** What code must know of an item: the bands of a first look, whether clouds can be masked. */
  async describe(
    catalog: string,
    item: { collection: string; id: string }
  ): Promise<{ bands: string[]; mask: boolean }> {
    const resource = this.detail(catalog, item.collection, item.id);
    if (!resource.state.data) {
      await resource.refresh();
    }
    const { data } = resource.state;
    const names = (data?.bands ?? []).map(band => band.common);
    const first = FIRST_LOOK.filter(name => names.includes(name));
    return { bands: first, mask: data?.mask ?? false };
  }

  /** The overpasses of an area. */
  calendar(catalog: string, request: object): Resource<ICalendar> {
    return this.part(['calendar', catalog, JSON.stringify(request)], () =>
      this._kept(() => this._client.post(path(catalog, 'calendar'), request))
    );
  }

  /** The curve of an index over an area. */
  curve(catalog: string, request: object): Resource<IFieldCurve> {
    return this.part(['curve', catalog, JSON.stringify(request)], () =>
      this._kept(() => this._client.post(path(catalog, 'curve'), request))
    );
  }

  override invalidate(): void {
    super.invalidate();
    this.search.invalidate();
  }

  /** What is asked of a catalogue once, and again when the catalogues change. */
  private _kept<T>(fetch: () => Promise<T>): Resource<T> {
    return new Resource({
      fetch,
      topics: ['catalog'],
      changes: this._changes,
      interval: () => 3_600_000
    });
  }

  override dispose(): void {
    this.search.dispose();
    this.downloads.dispose();
    this.ingests.dispose();
    this.thumbnails.dispose();
    super.dispose();
  }

  private _baseMaps: readonly IBaseMap[] = [];
  private _previewing: IPreviewing = {
    way: '',
    colours: 'viridis',
    stretch: ''
  };
}

/** How a picture is drawn. */
export interface IPreviewing {
  /** Which bands or index. */
  way: string;
  /** Colour map of an index. */
  colours: string;
  /** Locked limits, `low,high`; empty takes each picture's own. */
  stretch: string;
}

/** Bands that a first look loads, of those that an item has. */
const FIRST_LOOK = ['red', 'green', 'blue', 'nir', 'vv', 'vh'];

/** A catalogue as its form names it. */
export type NewSource = Pick<
  IOwnCatalog,
  'name' | 'url' | 'kind' | 'description'
>;

function path(catalog: string, what: string): string {
  return `catalogs/${encodeURIComponent(catalog)}/${what}`;
}
