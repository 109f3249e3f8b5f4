import type { IDisposable } from '@lumino/disposable';

import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IStudies, ITrialLog } from '../shared/contract';
import { Resource } from '../shared/resource';
import { StudyModel } from './studyModel';

/** The studies of the workspace; one study in full when somebody opens it. */
export class StudiesModel implements IDisposable {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    this.list = new Resource({
      fetch: () => _client.get<IStudies>('studies'),
      topics: ['studies'],
      changes: _changes,
      interval: last =>
        last?.studies.some(study => study.state === 'running')
          ? 10_000
          : 60_000,
      gap: () => 500
    });
  }

  /** All studies, short. */
  readonly list: Resource<IStudies>;

  /** One study in full; the same object for all who show it. */
  study(name: string): StudyModel {
    let model = this._studies.get(name);
    if (!model) {
      model = new StudyModel(this._client, this._changes, name);
      this._studies.set(name, model);
    }
    return model;
  }

  /** What a trial printed; the caller disposes it. */
  log(name: string, trial: number): Resource<ITrialLog> {
    return new Resource({
      fetch: () =>
        this._client.get<ITrialLog>(
          `studies/${encodeURIComponent(name)}/trials/${trial}/log`
        ),
      topics: [`studies/${name}`],
      changes: this._changes,
      interval: () => 10_000,
      gap: () => 1000
    });
  }

  /** Say that everything is old. */
  invalidate(): void {
    this.list.invalidate();
    this._studies.forEach(model => model.invalidate());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.list.dispose();
    this._studies.forEach(model => model.dispose());
  }

  private readonly _studies = new Map<string, StudyModel>();
  private _isDisposed = false;
}
