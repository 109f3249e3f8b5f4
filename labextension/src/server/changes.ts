import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { CHANGED_SCHEMA } from './contract';

/** Turns the server half's events into a signal of changed topics. */
export class WorkspaceChanges implements IDisposable {
  constructor(events: Event.IManager) {
    this._events = events;
    events.stream.connect(this._onEvent, this);
  }

  /** Emitted with the topics that changed: `catalog`, `studies/crops`, ... */
  get changed(): ISignal<this, ReadonlySet<string>> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._events.stream.disconnect(this._onEvent, this);
    Signal.clearData(this);
  }

  private _onEvent(_: Event.IManager, emission: Event.Emission): void {
    if (emission.schema_id !== CHANGED_SCHEMA) {
      return;
    }
    const topics = emission['topics'];
    if (Array.isArray(topics)) {
      this._changed.emit(
        new Set(
          topics.filter((topic): topic is string => typeof topic === 'string')
        )
      );
    }
  }

  private readonly _events: Event.IManager;
  private readonly _changed = new Signal<this, ReadonlySet<string>>(this);
  private _isDisposed = false;
}
