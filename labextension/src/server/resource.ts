import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { ApiError } from './apiError';
import type { WorkspaceChanges } from './changes';

/** What a consumer draws: the last good data stays beside a later error. */
export interface IResourceState<T> {
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly loading: boolean;
  /** When the data came, in seconds since the epoch by this machine's clock; 0 before. */
  readonly received: number;
}

/**
 * A document of the server half that is kept fresh while somebody looks at it.
 *
 * An event that names one of its topics fetches it again; a slow poll with back-off is the safety
 * net for lost events. Nothing is fetched while no consumer watches or the page is hidden: a change
 * in that time is remembered, and fetched when somebody looks again. Requests never overlap: while
 * one is under way, any number of further wishes become one more.
 */
export class Resource<T> implements IDisposable {
  constructor(private readonly _options: Resource.IOptions<T>) {
    _options.changes?.changed.connect(this._onChanged, this);
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  /** Emitted when the state changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A new object after each change, so that it can be compared by identity. */
  get state(): IResourceState<T> {
    return this._state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._options.changes?.changed.disconnect(this._onChanged, this);
    Signal.clearData(this);
  }

  /** Keep this fresh until the returned handle is disposed. */
  watch(): IDisposable {
    this._watchers += 1;
    if (this._watchers === 1) {
      this._wake();
    }
    return new DisposableDelegate(() => {
      this._watchers -= 1;
      if (this._watchers === 0) {
        window.clearTimeout(this._timer);
      }
    });
  }

  /** Fetch now; resolves when an answer that was asked for after this call has come. */
  async refresh(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    if (this._pending) {
      this._again ??= this._pending.then(() => {
        this._again = null;
        return this.refresh();
      });
      return this._again;
    }
    this._pending = this._fetch();
    try {
      await this._pending;
    } finally {
      this._pending = null;
      this._arm();
    }
  }

  /** Say that the data is old: it is fetched as soon as somebody looks. */
  invalidate(): void {
    this._dirty = true;
    if (this._awake) {
      // Events come in bursts: wait for the end of the gap since the last fetch.
      const wait = this._fetched + this._gap - Date.now();
      if (wait <= 0) {
        void this.refresh();
      } else {
        this._armIn(wait);
      }
    }
  }

  /** Forget what came: what stood for it is another thing now. */
  clear(): void {
    this._set({ data: null, error: null, loading: false, received: 0 });
    this.invalidate();
  }

  private get _awake(): boolean {
    return this._watchers > 0 && !document.hidden && !this._isDisposed;
  }

  private get _gap(): number {
    return this._options.gap?.(this._state.data) ?? 300;
  }

  private async _fetch(): Promise<void> {
    window.clearTimeout(this._timer);
    this._dirty = false;
    this._fetched = Date.now();
    if (this._state.data === null) {
      this._set({ ...this._state, loading: true });
    }
    try {
      const data = await this._options.fetch(this._state.data);
      this._failures = 0;
      if (!this._isDisposed) {
        this._settle(data);
      }
    } catch (error) {
      this._failures += 1;
      if (!this._isDisposed) {
        this._set({
          ...this._state,
          error: ApiError.from(error),
          loading: false
        });
      }
    }
  }

  private _settle(data: T): void {
    const { data: old, error, loading } = this._state;
    // The same document again must not draw again.
    if (data === old && error === null && !loading) {
      return;
    }
    this._set({
      data,
      error: null,
      loading: false,
      received: Date.now() / 1000
    });
  }

  private _set(state: IResourceState<T>): void {
    this._state = state;
    this._changed.emit();
  }

  private _arm(): void {
    if (this._dirty) {
      this.invalidate();
      return;
    }
    const { data } = this._state;
    const interval = this._options.interval(data);
    this._armIn(
      Math.min(interval * 2 ** this._failures, Math.max(interval, 120_000))
    );
  }

  private _armIn(wait: number): void {
    window.clearTimeout(this._timer);
    if (!this._awake) {
      return;
    }
    this._timer = window.setTimeout(() => {
      this._dirty = true;
      if (this._awake) {
        void this.refresh();
      }
    }, wait);
  }

  /** Somebody looks again: fetch what is old, else go on waiting. */
  private _wake(): void {
    if (!this._awake) {
      return;
    }
    const { data, error } = this._state;
    const age = Date.now() - this._fetched;
    if (this._dirty || error || age > this._options.interval(data)) {
      void this.refresh();
    } else {
      this._armIn(this._options.interval(data) - age);
    }
  }

  private _onChanged(_: WorkspaceChanges, topics: ReadonlySet<string>): void {
    if (this._options.topics.some(topic => topics.has(topic))) {
      this.invalidate();
    }
  }

  private readonly _onVisibility = (): void => this._wake();

  private readonly _changed = new Signal<this, void>(this);
  private _state: IResourceState<T> = {
    data: null,
    error: null,
    loading: false,
    received: 0
  };
  private _watchers = 0;
  private _pending: Promise<void> | null = null;
  private _again: Promise<void> | null = null;
  private _dirty = true;
  private _failures = 0;
  private _fetched = 0;
  private _timer = 0;
  private _isDisposed = false;
}

export namespace Resource {
  export interface IOptions<T> {
    /** Ask the server; given the last answer, which may be returned as it is. */
    fetch: (last: T | null) => Promise<T>;
    /** The topics whose change makes the data old. */
    topics: readonly string[];
    /** Where changes are told; none where nothing tells them. */
    changes: WorkspaceChanges | null;
    /** Milliseconds between two polls, by what was last seen. */
    interval: (last: T | null) => number;
    /** The least milliseconds between two fetches that events ask for, by what was last seen. */
    gap?: (last: T | null) => number;
  }
}
