import type { WorkspaceChanges } from '../../server/changes';
import type { Client } from '../../server/client';
import type {
  IGrownTrial,
  IAbout,
  IImportance,
  INotes,
  ITensorBoard,
  IAblation,
  IBand,
  IStudyAnswer,
  IStudySnapshot,
  ITimeline,
  ITrial,
  Point,
  CommandRequest
} from '../../server/contract';
import { Resource } from '../../server/resource';
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
        const path = `studies/${encodeURIComponent(name)}`;
        if (last) {
          const answer = await _client.get<IStudyAnswer>(path, {
            since: last.seq,
            tails: 1
          });
          // A study that was made again under its name is another one.
          if (answer.created === last.created) {
            return mergeSnapshot(last, answer);
          }
        }
        return _client.get<IStudySnapshot>(path);
      },
      topics: [`studies/${name}`],
      changes: _changes,
      interval: last => (last && hasEndedState(last.state) ? 60_000 : 4_000),
      // A picture of two hundred curves that all grow takes its time to draw.
      gap: last => Math.min(700, 300 + 10 * (last?.counts.running ?? 0))
    });
    // Not as initialisers of the fields: those run before the constructor's own fields are set.
    this.timeline = this._part('timeline', 2_000);
    this.importance = this._part('importance', 5_000);
    this.about = this._part('about', 60_000);
    this.notes = this._part('notes', 2_000);
    this.band = this._part('band', 3_000);
    this.ablation = this._part('ablation', 2_000);
  }

  /** Who ran what when, attempt by attempt. */
  readonly timeline: Resource<ITimeline>;

  /** How much each parameter matters. */
  readonly importance: Resource<IImportance>;

  /** What runs: function, data, plan. */
  readonly about: Resource<IAbout>;

  /** What people wrote about the study. */
  readonly notes: Resource<INotes>;

  /** What an ablation has shown so far. */
  readonly ablation: Resource<IAblation>;

  /** Where trials are stopped early. */
  readonly band: Resource<IBand>;

  override dispose(): void {
    this.timeline.dispose();
    this.importance.dispose();
    this.about.dispose();
    this.notes.dispose();
    this.band.dispose();
    this.ablation.dispose();
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
  async command(request: CommandRequest): Promise<void> {
    await this._client.post(this._path('commands'), request);
    await this.refresh();
  }

  /**
   * Start TensorBoard on what the trials wrote.
   *
   * @throws ApiError with status 409 where there is nothing, or it is not installed.
   */
  tensorBoard(): Promise<ITensorBoard> {
    return this._client.post(this._path('tensorboard'), {});
  }

  private _part<T>(part: string, gap: number): Resource<T> {
    return new Resource({
      fetch: () => this._client.get<T>(this._path(part)),
      topics: [`studies/${this.name}`],
      changes: this._changes,
      interval: () => 60_000,
      gap: () => gap
    });
  }

  private _path(part: string): string {
    return `studies/${encodeURIComponent(this.name)}/${part}`;
  }
}

/** Curves longer than twice this are thinned: a screen shows no more. */
const CURVE_POINTS = 200;

/**
 * Put what changed into what is known.
 *
 * Trials that did not change stay the same objects, so that what was derived from them holds; the
 * last snapshot itself is returned where nothing can be seen to differ.
 */
export function mergeSnapshot(
  last: IStudySnapshot,
  answer: IStudyAnswer
): IStudySnapshot {
  if (isSame(last, answer)) {
    return last;
  }
  const { partial, ...head } = answer;
  const places = new Map<number, number>();
  last.trials.forEach((trial, place) => places.set(trial.number, place));
  const trials = partial ? [...last.trials] : [];
  for (const change of answer.trials) {
    const place = places.get(change.number);
    const known = place === undefined ? undefined : last.trials[place];
    const trial = 'tail' in change ? grow(known, change) : change;
    if (partial && place !== undefined) {
      trials[place] = trial;
    } else {
      trials.push(trial);
    }
  }
  return { ...head, trials };
}

/** A trial with the new end of its curve. */
function grow(known: ITrial | undefined, change: IGrownTrial): ITrial {
  const { tail, ...trial } = change;
  return { ...trial, curve: thin([...(known?.curve ?? []), ...tail]) };
}

function thin(points: Point[]): Point[] {
  if (points.length <= 2 * CURVE_POINTS) {
    return points;
  }
  // Every second one, and the last: what is thinned again later stays even.
  return points.filter(
    (_, place) => place % 2 === 0 || place === points.length - 1
  );
}

/** Whether nothing can be seen to differ between two snapshots of one study. */
function isSame(a: IStudySnapshot, b: IStudyAnswer): boolean {
  return (
    a.seq === b.seq &&
    a.state === b.state &&
    a.message === b.message &&
    a.created === b.created &&
    a.workers_alive === b.workers_alive
  );
}
