import type { IDisposable } from '@lumino/disposable';

import type { Client } from '../../server/client';

/** How many pictures are kept. */
const KEPT = 200;

/** Small pictures of items as object URLs; fetched with the page's login, two at a time, and kept. */
export class Thumbnails implements IDisposable {
  constructor(private readonly _client: Client) {}

  /** The address of an item's picture. */
  async get(
    catalog: string,
    collection: string,
    item: string
  ): Promise<string> {
    const key = JSON.stringify([catalog, collection, item]);
    const known = this._urls.get(key);
    if (known) {
      // The most recently used is last, so that the first is the one to drop.
      this._urls.delete(key);
      this._urls.set(key, known);
      return known;
    }
    const url = this._inTurn(async () => {
      const blob = await this._client.image(
        `catalogs/${encodeURIComponent(catalog)}/thumbnail`,
        { collection, item }
      );
      return URL.createObjectURL(blob);
    });
    this._urls.set(key, url);
    this._trim();
    try {
      return await url;
    } catch (error) {
      this._urls.delete(key);
      throw error;
    }
  }

  /** Drop the pictures of a catalogue. */
  forget(catalog: string): void {
    for (const [key, url] of this._urls) {
      if ((JSON.parse(key) as string[])[0] === catalog) {
        this._urls.delete(key);
        this._revoke(url);
      }
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._urls.forEach(url => this._revoke(url));
    this._urls.clear();
  }

  /** A server renders pictures from rasters: a long list must not ask for all at once. */
  private async _inTurn(task: () => Promise<string>): Promise<string> {
    while (this._running >= 2) {
      await new Promise<void>(resolve => this._waiting.push(resolve));
    }
    this._running += 1;
    try {
      return await task();
    } finally {
      this._running -= 1;
      this._waiting.shift()?.();
    }
  }

  private _trim(): void {
    for (const [key, url] of this._urls) {
      if (this._urls.size <= KEPT) {
        return;
      }
      this._urls.delete(key);
      this._revoke(url);
    }
  }

  private _revoke(url: Promise<string>): void {
    url.then(
      address => URL.revokeObjectURL(address),
      () => undefined
    );
  }

  private readonly _urls = new Map<string, Promise<string>>();
  private readonly _waiting: (() => void)[] = [];
  private _running = 0;
  private _isDisposed = false;
}
