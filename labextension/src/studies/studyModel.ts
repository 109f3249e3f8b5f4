import type { WorkspaceChanges } from '../shared/changes';
import type { Client } from '../shared/client';
import type { IStudySnapshot, StudyCommand } from '../shared/contract';
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
        const snapshot = await _client.get<IStudySnapshot>(
          `studies/${encodeURIComponent(name)}`
        );
        return last && isSame(last, snapshot) ? last : snapshot;
      },
      topics: [`studies/${name}`],
      changes,
      interval: last => (last && hasEndedState(last.state) ? 60_000 : 4_000),
      gap: 300
    });
  }

  /** Ask something of the study; what came of it is in the next snapshot. */
  async command(
    command: StudyCommand,
    args: { n?: number; trials?: number; workers?: number } = {}
  ): Promise<void> {
    await this._client.post(
      `studies/${encodeURIComponent(this.name)}/commands`,
      { command, ...args }
    );
    await this.refresh();
  }
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
