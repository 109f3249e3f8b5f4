import type { WorkspaceChanges } from '../server/changes';
import type { Client } from '../server/client';
import type {
  IDependents,
  IEntities,
  ITidied,
  ITidyRequest
} from '../server/contract';
import { Resource } from '../server/resource';

/** What entities are called, which lists leave out, and the bin. */
export class EntitiesModel extends Resource<IEntities> {
  constructor(
    private readonly _client: Client,
    changes: WorkspaceChanges
  ) {
    super({
      fetch: () => _client.get<IEntities>('entities'),
      topics: ['entities'],
      changes,
      interval: () => 120_000
    });
  }

  /** What can be done with an entity now, and what hangs on it. */
  about(kind: string, id: string): Promise<IDependents> {
    return this._client.get<IDependents>('entities/about', { kind, id });
  }

  /** Delete, rename, archive or restore. */
  async tidy(request: ITidyRequest): Promise<ITidied> {
    const done = await this._client.post<ITidied>('entities/commands', request);
    this.invalidate();
    return done;
  }
}
