import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IStudySnapshot, ITrial, StudyRequest } from '../shared/contract';
import { Resource } from '../shared/resource';
import { hasEndedState } from './derive';

/** One study in full, and what can be asked of it. */
export class StudyModel extends Resource<IStudySnapshot> {
  constructor(
    private readonly _client: Client,
    changes: WorkspaceChanges,
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
      changes,
      interval: last => (last && hasEndedState(last.state) ? 60_000 : 4_000),
      gap: 300
    });
  }

  /** Ask something of the study; what came of it is in the next snapshot. */
  async command(request: StudyRequest): Promise<void> {
    await this._client.post(
      `studies/${encodeURIComponent(this.name)}/commands`,
      request
    );
    await this.refresh();
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
