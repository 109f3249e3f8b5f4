import type { WorkspaceChanges } from '../../server/changes';
import type { Client } from '../../server/client';
import type { IStudies, ITrialLog } from '../../server/contract';
import { Resource } from '../../server/resource';
import { RoomModel } from '../../server/roomModel';
import { isAtWork } from './derive';
import { StudyModel } from './studyModel';

/** The studies of the workspace; one study in full when somebody opens it. */
export class StudiesModel extends RoomModel {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    super();
  }

  /** All studies, short. */
  get list(): Resource<IStudies> {
    return this.part(
      ['list'],
      () =>
        new Resource({
          fetch: () => this._client.get<IStudies>('studies'),
          topics: ['studies'],
          changes: this._changes,
          interval: last =>
            last?.studies.some(study => isAtWork(study.state))
              ? 10_000
              : 60_000,
          gap: () => 500
        })
    );
  }

  /** One study in full; the same object for all who show it. */
  study(name: string): StudyModel {
    return this.part(
      ['study', name],
      () => new StudyModel(this._client, this._changes, name)
    );
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
}
