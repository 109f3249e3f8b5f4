import type { IDisposable } from '@lumino/disposable';

import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IFeatures, IGroupStatistics } from '../shared/contract';
import { Resource } from '../shared/resource';

/** Feature groups and views, and the statistics of a group when somebody opens them. */
export class FeaturesModel implements IDisposable {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    this.features = new Resource({
      fetch: () => _client.get<IFeatures>('features'),
      topics: ['features'],
      changes: _changes,
      interval: () => 120_000
    });
  }

  /** Groups and views of the workspace. */
  readonly features: Resource<IFeatures>;

  /** The statistics of one group. */
  statistics(name: string, version: number): Resource<IGroupStatistics> {
    const key = JSON.stringify([name, version]);
    let resource = this._statistics.get(key);
    if (!resource) {
      resource = new Resource({
        fetch: () =>
          this._client.get<IGroupStatistics>(
            `features/groups/${encodeURIComponent(name)}/${version}/statistics`
          ),
        topics: ['features'],
        changes: this._changes,
        interval: () => 600_000
      });
      this._statistics.set(key, resource);
    }
    return resource;
  }

  /** Say that everything is old. */
  invalidate(): void {
    this.features.invalidate();
    this._statistics.forEach(resource => resource.invalidate());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.features.dispose();
    this._statistics.forEach(resource => resource.dispose());
  }

  private readonly _statistics = new Map<string, Resource<IGroupStatistics>>();
  private _isDisposed = false;
}
