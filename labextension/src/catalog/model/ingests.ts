/** A user's own rasters on their way into a collection. */
import { Signal, type ISignal } from '@lumino/signaling';

import type { WorkspaceChanges } from '../../server/changes';
import type { Client } from '../../server/client';
import type {
  IFolder,
  IIngest,
  IIngestCommandRequest,
  IIngestPreview,
  IIngestRequest,
  IIngests,
  IMade
} from '../../server/contract';
import { Resource } from '../../server/resource';

/** What is added to collections, and what will be understood of it before. */
export class Ingests {
  constructor(
    private readonly _client: Client,
    changes: WorkspaceChanges
  ) {
    this.all = new Resource({
      fetch: () => _client.get<IIngests>('ingests'),
      topics: ['catalog'],
      changes,
      interval: data => (data?.ingests.some(isUnderWay) ? 700 : 60_000)
    });
  }

  /** All of them, the newest first. */
  readonly all: Resource<IIngests>;

  /** Paths with which the form is opened. */
  get paths(): readonly string[] {
    return this._paths;
  }

  /** Somebody named other paths. */
  get named(): ISignal<this, void> {
    return this._named;
  }

  /** Open the form with these paths. */
  name(paths: readonly string[]): void {
    this._paths = paths;
    this._named.emit();
  }

  /** What will be understood; nothing is written. */
  preview(request: IIngestRequest): Promise<IIngestPreview> {
    return this._client.post('ingests/preview', request);
  }

  /** Begin; returns the id. */
  async start(request: IIngestRequest): Promise<string> {
    const { id } = await this._client.post<IMade>('ingests', request);
    await this.all.refresh();
    return id;
  }

  /** End one, or take it from the list. */
  async act(
    id: string,
    command: IIngestCommandRequest['command']
  ): Promise<void> {
    await this._client.post(`ingests/${id}/commands`, { command });
    await this.all.refresh();
  }

  /** Folders and rasters at a path that is being typed. */
  folder(path: string): Promise<IFolder> {
    return this._client.get('ingests/folders', { path });
  }

  dispose(): void {
    Signal.clearData(this);
    this.all.dispose();
  }

  private _paths: readonly string[] = [];
  private readonly _named = new Signal<this, void>(this);
}

/** Whether something is still to come of its own. */
export function isUnderWay({ state }: IIngest): boolean {
  return state === 'waiting' || state === 'running';
}
