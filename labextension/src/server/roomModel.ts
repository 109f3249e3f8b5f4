import type { IDisposable } from '@lumino/disposable';

/** What a room's model holds: it can be said to be old, and ends with the model. */
export interface IPart extends IDisposable {
  invalidate(): void;
  clear(): void;
}

/** The base of the models of rooms: parts that always are, and parts that are made when asked for. */
export abstract class RoomModel implements IDisposable {
  /** Say that everything is old: what is looked at is fetched again. */
  invalidate(): void {
    this._parts.forEach(part => part.invalidate());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._parts.forEach(part => part.dispose());
  }

  /** The part of this name; made the first time, the same object for all who ask later. */
  protected part<T extends IPart>(key: readonly string[], make: () => T): T {
    const name = JSON.stringify(key);
    let part = this._parts.get(name) as T | undefined;
    if (!part) {
      part = make();
      this._parts.set(name, part);
    }
    return part;
  }

  /** Forget what came of the parts whose key fits. */
  protected clear(fits: (key: readonly string[]) => boolean): void {
    this._parts.forEach((part, name) => {
      if (fits(JSON.parse(name) as string[])) {
        part.clear();
      }
    });
  }

  private readonly _parts = new Map<string, IPart>();
  private _isDisposed = false;
}
