import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IModels } from '../shared/contract';
import { Resource } from '../shared/resource';

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
