import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type {
  IAbout,
  IImportance,
  INotes,
  IStudySnapshot,
  ITimeline,
  ITrial,
  StudyRequest
} from '../shared/contract';
import { Resource } from '../shared/resource';
import { hasEndedState } from './derive';

/** One study in full, and what can be asked of it. */
export class StudyModel extends Resource<IStudySnapshot> {
  constructor(
    private readonly _client: Client,
    private readonly _changes: WorkspaceChanges,
    readonly name: string
  ) {
    super({
      fetch: async last => {
        const answer = await _client.get<IStudySnapshot>(
          `studies/${encodeURIComponent(name)}`,
          { since: last?.seq }
        );
        return last ? mergeSnapshot(last, answer) : answer;
      },
      topics: [`studies/${name}`],
      changes: _changes,
      interval: last => (last && hasEndedState(last.state) ? 60_000 : 4_000),
      gap: 300
    });
    // Not as initialisers of the fields: those run before the constructor's own fields are set.
    this.timeline = this._part('timeline', 2_000);
    this.importance = this._part('importance', 5_000);
    this.about = this._part('about', 60_000);
    this.notes = this._part('notes', 2_000);
  }

  /** Who ran what when, attempt by attempt. */
  readonly timeline: Resource<ITimeline>;

  /** How much each parameter matters. */
  readonly importance: Resource<IImportance>;

  /** What runs: function, data, plan. */
  readonly about: Resource<IAbout>;

  /** What people wrote about the study. */
  readonly notes: Resource<INotes>;

  override dispose(): void {
    this.timeline.dispose();
    this.importance.dispose();
    this.about.dispose();
    this.notes.dispose();
    super.dispose();
  }

  /**
   * Write the notes; what somebody else wrote since `seen` is never overwritten.
   *
   * @throws ApiError with status 409 where somebody did.
   */
  async writeNotes(text: string, seen: number | null): Promise<void> {
    await this._client.put<INotes>(this._path('notes'), {
      text,
      modified: seen
    });
    await this.notes.refresh();
  }

  /** Ask something of the study; what came of it is in the next snapshot. */
  async command(request: StudyRequest): Promise<void> {
    await this._client.post(this._path('commands'), request);
    await this.refresh();
  }

  private _part<T>(part: string, gap: number): Resource<T> {
    return new Resource({
      fetch: () => this._client.get<T>(this._path(part)),
      topics: [`studies/${this.name}`],
      changes: this._changes,
      interval: () => 60_000,
      gap
    });
  }

  private _path(part: string): string {
    return `studies/${encodeURIComponent(this.name)}/${part}`;
  }
}

/**
 * Put what changed into what is known.
 *
 * Trials that did not change stay the same objects, so that what was derived from them holds; the
 * last snapshot itself is returned where nothing can be seen to differ.
 */
export function mergeSnapshot(
  last: IStudySnapshot,
  answer: IStudySnapshot
): IStudySnapshot {
  if (isSame(last, answer)) {
    return last;
  }
  if (!answer.partial) {
    return answer;
  }
  const trials = [...last.trials];
  const places = new Map<number, number>();
  trials.forEach((trial, place) => places.set(trial.n, place));
  const fresh: ITrial[] = [];
  for (const trial of answer.trials) {
    const place = places.get(trial.n);
    if (place === undefined) {
      fresh.push(trial);
    } else {
      trials[place] = trial;
    }
  }
  return { ...answer, partial: false, trials: trials.concat(fresh) };
}

/** Whether nothing can be seen to differ between two snapshots of one study. */
function isSame(a: IStudySnapshot, b: IStudySnapshot): boolean {
  return (
    a.seq === b.seq &&
    a.state === b.state &&
    a.message === b.message &&
    a.created === b.created &&
    a.workers_alive === b.workers_alive
  );
}
