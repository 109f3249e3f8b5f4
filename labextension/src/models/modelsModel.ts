import type { WorkspaceChanges } from '../server/changes';
import type { Client } from '../server/client';
import type { IModels } from '../server/contract';
import { Resource } from '../server/resource';

/** The registered models with their versions. */
export class ModelsModel extends Resource<IModels> {
  constructor(client: Client, changes: WorkspaceChanges) {
    super({
      fetch: () => client.get<IModels>('models'),
      topics: ['models'],
      changes,
      interval: () => 120_000
    });
  }
}
