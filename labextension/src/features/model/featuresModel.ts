import type { IVersioned } from '../../context/names';
import type { WorkspaceChanges } from '../../server/changes';
import type { Client, Query } from '../../server/client';
import type {
  IFeatures,
  IGroupDetails,
  IGroupPlaces,
  IGroupRows,
  IGroupStatistics,
  ILineageGraph,
  IViewRequest
} from '../../server/contract';
import { Resource } from '../../server/resource';
import { RoomModel } from '../../server/roomModel';

/** Which page of a group's rows. */
export interface IRowsPage {
  offset: number;
  limit: number;
  sort: string | null;
  descending: boolean;
  /** What was known then, in ISO 8601; null for what is known now. */
  asOf: string | null;
}

/** Feature groups and views; what a group or view holds when somebody opens it. */
export class FeaturesModel extends RoomModel {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges
  ) {
    super();
  }

  /** Groups and views of the workspace. */
  get features(): Resource<IFeatures> {
    return this._document('features', {}, 120_000);
  }

  /** Schema, history, checks and correlations of one group. */
  group(name: string, version: number): Resource<IGroupDetails> {
    return this._document(path(name, version), {}, 600_000);
  }

  /** The statistics of one group, as of a commit or newest. */
  statistics(
    name: string,
    version: number,
    commit: number | null = null
  ): Resource<IGroupStatistics> {
    return this._document(
      `${path(name, version)}/statistics`,
      { commit },
      600_000
    );
  }

  /** The statistics of several commits of one group, in this order. */
  overlaid(
    name: string,
    version: number,
    commits: readonly number[]
  ): Resource<IGroupStatistics[]> {
    const where = `${path(name, version)}/statistics`;
    return this.part(
      ['overlaid', where, commits.join(' ')],
      () =>
        new Resource({
          fetch: () =>
            Promise.all(
              commits.map(commit =>
                this._client.get<IGroupStatistics>(where, { commit })
              )
            ),
          topics: ['features'],
          changes: this._changes,
          interval: () => 600_000
        })
    );
  }

  /** A page of one group's rows. It is fetched each time: pages are many, looks are few. */
  rows(name: string, version: number, page: IRowsPage): Promise<IGroupRows> {
    const { offset, limit, sort, descending, asOf } = page;
    return this._client.get<IGroupRows>(`${path(name, version)}/rows`, {
      offset,
      limit,
      sort,
      descending: sort && descending ? 1 : null,
      as_of: asOf
    });
  }

  /** Where one group's things are. */
  places(name: string, version: number): Resource<IGroupPlaces> {
    return this._document(`${path(name, version)}/places`, {}, 600_000);
  }

  /** What something was made from, and what of it. */
  lineage(kind: string, id: string): Resource<ILineageGraph> {
    return this._document('features/lineage', { kind, id }, 120_000, [
      'features',
      'studies',
      'models'
    ]);
  }

  /** Make a view; an equal one is given back as it is. */
  async makeView(form: IViewRequest): Promise<IVersioned> {
    const made = await this._client.post<IVersioned>('features/views', form);
    this.features.invalidate();
    return made;
  }

  private _document<T>(
    where: string,
    query: Query,
    interval: number,
    topics: string[] = ['features']
  ): Resource<T> {
    return this.part(
      [where, JSON.stringify(query)],
      () =>
        new Resource({
          fetch: () => this._client.get<T>(where, query),
          topics,
          changes: this._changes,
          interval: () => interval
        })
    );
  }
}

function path(name: string, version: number): string {
  return `features/groups/${encodeURIComponent(name)}/${version}`;
}
