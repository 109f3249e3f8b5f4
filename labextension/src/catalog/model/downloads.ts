/** Downloads as the server half tells them. */
import type { Client } from '../../server/client';
import type {
  IDownload,
  IDownloadCommandRequest,
  IDownloads
} from '../../server/contract';
import type { WorkspaceChanges } from '../../server/changes';
import { Resource } from '../../server/resource';

export type DownloadState = IDownload['state'];

/** Files of scenes on their way into the configured folder. */
export class Downloads {
  constructor(
    private readonly _client: Client,
    changes: WorkspaceChanges
  ) {
    this.all = new Resource({
      fetch: () => _client.get<IDownloads>('downloads'),
      topics: ['downloads'],
      changes,
      interval: data => (data?.downloads.some(isBusy) ? 1_000 : 60_000)
    });
  }

  /** All of them, the newest first. */
  readonly all: Resource<IDownloads>;

  /** Begin one. */
  async start(
    catalog: string,
    items: readonly { collection: string; id: string }[],
    assets: readonly string[]
  ): Promise<void> {
    const pairs = items.map(({ collection, id }) => [collection, id]);
    await this._client.post('downloads', { catalog, items: pairs, assets });
    await this.all.refresh();
  }

  /** End one, go on with it, or take it from the list. */
  async act(
    id: string,
    command: IDownloadCommandRequest['command']
  ): Promise<void> {
    await this._client.post(`downloads/${id}/commands`, { command });
    await this.all.refresh();
  }

  dispose(): void {
    this.all.dispose();
  }
}

/** Whether something is still to come of its own. */
export function isBusy({ state }: IDownload): boolean {
  return state === 'waiting' || state === 'running';
}

/** Bytes as people read them: `0 MB`, `3.2 MB`, `1.4 GB`. */
export function formatBytes(bytes: number): string {
  const mega = bytes / 1e6;
  if (mega >= 1000) {
    return `${(mega / 1000).toFixed(1)} GB`;
  }
  return `${mega >= 10 || mega === 0 ? Math.round(mega) : mega.toFixed(1)} MB`;
}
