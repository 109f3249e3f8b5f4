import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IFound, IFoundItem } from '../../server/contract';
import { ApiError } from '../../server/apiError';
import type { Client } from '../../server/client';
import type { Code } from './earth';
import { bodyOf, EMPTY, type ISearchQuery } from './query';

/** What the pointer draws on the map. */
export type Tool = 'none' | 'box' | 'polygon';

/** What a tab is brought back with: what it asked, what it showed, and how. */
export interface IKept {
  readonly query: ISearchQuery;
  /** The item whose details are shown. */
  readonly opened: string | null;
  /** How the Earth is drawn. */
  readonly earth: Code;
  /** The name of the base map; empty for the land alone. */
  readonly base: string;
}

/** What the tab shows; a new object after each change. */
export interface ISearchState extends IKept {
  readonly found: IFound | null;
  readonly error: ApiError | null;
  readonly loading: boolean;
  readonly selected: ReadonlySet<string>;
  readonly tool: Tool;
  /** The day of the last visit to a saved area: what is younger is new; empty where none is open. */
  readonly newSince: string;
}

/** By what an item is told apart from all others of a catalogue. */
export function keyOf(item: { collection: string; id: string }): string {
  return `${item.collection}/${item.id}`;
}

/** One search: what is asked, what came, what of it is chosen. */
export class SearchModel implements IDisposable {
  constructor(private readonly _client: Client) {}

  /** Emitted when the state changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when something changed that outlasts the window: see `IKept`. */
  get keptChanged(): ISignal<this, void> {
    return this._keptChanged;
  }

  /** Emitted when the pointer came to another item: often, so it is no part of the state. */
  get hoverChanged(): ISignal<this, string | null> {
    return this._hoverChanged;
  }

  get state(): ISearchState {
    return this._state;
  }

  get hovered(): string | null {
    return this._hovered;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      window.clearTimeout(this._timer);
      Signal.clearData(this);
    }
  }

  /** Ask for something else; soon, since sliders and texts change often. */
  change(part: Partial<ISearchQuery>, newSince?: string): void {
    const query = { ...this._state.query, ...part };
    // Another area was never visited.
    const since = newSince ?? ('area' in part ? '' : this._state.newSince);
    this._set({ query, newSince: since });
    this._keptChanged.emit();
    window.clearTimeout(this._timer);
    if (query.catalog) {
      this._timer = window.setTimeout(() => void this.run(), 350);
    }
  }

  /** Ask for a query as it stands; an item that is named is opened when it comes. */
  start(query: ISearchQuery, open?: string): void {
    if (query.catalog !== this._state.query.catalog) {
      // Nor is what went wrong there told of this one.
      this._set({
        found: null,
        error: null,
        selected: new Set(),
        opened: null
      });
    }
    this._set({ query, newSince: '' });
    this._keptChanged.emit();
    void this.run().then(() => {
      if (open !== undefined && this.item(open)) {
        this.selectAll([open]);
        this.open(open);
      }
    });
  }

  /** Ask now; the answer to an older question is not shown any more. */
  async run(): Promise<void> {
    window.clearTimeout(this._timer);
    const { query } = this._state;
    if (!query.catalog) {
      return;
    }
    this._asked += 1;
    const number = this._asked;
    this._set({ loading: true });
    try {
      const found = await this._client.post<IFound>(
        `catalogs/${encodeURIComponent(query.catalog)}/search`,
        bodyOf(query)
      );
      if (number === this._asked && !this._isDisposed) {
        performance.mark('eolab-search-answer');
        this._show(found);
      }
    } catch (thrown) {
      if (number === this._asked && !this._isDisposed) {
        this._set({ error: ApiError.from(thrown), loading: false });
      }
    }
  }

  /** Wait no longer for an answer; what an older question found stays. */
  cancel(): void {
    window.clearTimeout(this._timer);
    this._asked += 1; // an answer that is on its way
    this._set({ loading: false });
  }

  /** The catalogue changed: what is shown may be old. */
  invalidate(): void {
    if (this._state.found) {
      void this.run();
    }
  }

  /** A catalogue is gone: what came of it is not shown any more. */
  leave(catalog: string): void {
    if (this._state.query.catalog === catalog) {
      window.clearTimeout(this._timer);
      this._asked += 1; // an answer that is on its way
      this._items = null;
      this._set({
        query: EMPTY,
        found: null,
        error: null,
        loading: false,
        selected: new Set(),
        opened: null,
        newSince: ''
      });
      this._keptChanged.emit();
    }
  }

  /** Choose one item, or add it to or take it from the chosen ones. */
  select(key: string, add: boolean): void {
    const { selected } = this._state;
    const next = new Set(add ? selected : []);
    if (add ? selected.has(key) : selected.has(key) && selected.size === 1) {
      next.delete(key);
    } else {
      next.add(key);
    }
    this._set({ selected: next });
  }

  /** Choose exactly these. */
  selectAll(keys: Iterable<string>): void {
    this._set({ selected: new Set(keys) });
  }

  /** Show the details of an item. */
  open(key: string | null): void {
    this._set({ opened: key });
    this._keptChanged.emit();
  }

  /** Draw the Earth another way, or on another base map. */
  look(part: Partial<Pick<IKept, 'earth' | 'base'>>): void {
    this._set(part);
    this._keptChanged.emit();
  }

  /** The pointer, or the focus, is at an item. */
  hover(key: string | null): void {
    if (key !== this._hovered) {
      this._hovered = key;
      this._hoverChanged.emit(key);
    }
  }

  /** What the pointer draws on the map. */
  setTool(tool: Tool): void {
    this._set({ tool });
  }

  /** An item that was found. */
  item(key: string | null): IFoundItem | null {
    if (key === null) {
      return null;
    }
    // Made when first asked for: the map need not wait for it.
    this._items ??= new Map(
      this._state.found?.items.map(item => [keyOf(item), item])
    );
    return this._items.get(key) ?? null;
  }

  private _show(found: IFound): void {
    this._items = null;
    const { selected, opened } = this._state;
    this._state = { ...this._state, found };
    this._set({
      error: null,
      loading: false,
      selected: new Set([...selected].filter(key => this.item(key))),
      opened: this.item(opened) ? opened : null
    });
  }

  private _set(part: Partial<ISearchState>): void {
    this._state = { ...this._state, ...part };
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _keptChanged = new Signal<this, void>(this);
  private readonly _hoverChanged = new Signal<this, string | null>(this);
  private _state: ISearchState = {
    query: EMPTY,
    found: null,
    error: null,
    loading: false,
    selected: new Set(),
    opened: null,
    earth: 'EPSG:3857',
    base: '',
    tool: 'none',
    newSince: ''
  };
  private _items: Map<string, IFoundItem> | null = null;
  private _hovered: string | null = null;
  private _timer = 0;
  private _asked = 0;
  private _isDisposed = false;
}
