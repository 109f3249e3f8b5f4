import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IFeatures, IGroupStatistics } from '../shared/contract';
import { Resource } from '../shared/resource';
import { RoomModel } from '../shared/roomModel';

/** Feature groups and views, and the statistics of a group when somebody opens them. */
export class FeaturesModel extends RoomModel {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    super();
  }

  /** Groups and views of the workspace. */
  get features(): Resource<IFeatures> {
    return this.part(
      ['features'],
      () =>
        new Resource({
          fetch: () => this._client.get<IFeatures>('features'),
          topics: ['features'],
          changes: this._changes,
          interval: () => 120_000
        })
    );
  }

  /** The statistics of one group. */
  statistics(name: string, version: number): Resource<IGroupStatistics> {
    const path = `features/groups/${encodeURIComponent(name)}/${version}/statistics`;
    return this.part(
      ['statistics', path],
      () =>
        new Resource({
          fetch: () => this._client.get<IGroupStatistics>(path),
          topics: ['features'],
          changes: this._changes,
          interval: () => 600_000
        })
    );
  }
}
