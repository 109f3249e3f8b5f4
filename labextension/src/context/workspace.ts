import type { ApiError } from '../server/apiError';
import type { WorkspaceChanges } from '../server/changes';
import type { Client } from '../server/client';
import { API_VERSION, type IStatus } from '../server/contract';
import { Resource } from '../server/resource';

/**
 * Whether panels and server half fit.
 *
 * - `older`, `newer`: the server half speaks an older or newer contract than these panels.
 */
export type Fit =
  'unknown' | 'fits' | 'missing' | 'older' | 'newer' | 'unreachable';

/** Which workspace the server half looks at, and whether it can be understood. */
export class WorkspaceModel extends Resource<IStatus> {
  constructor(client: Client, changes: WorkspaceChanges) {
    super({
      fetch: () => client.get<IStatus>('status'),
      topics: ['workspace'],
      changes,
      interval: last => (last ? 300_000 : 10_000)
    });
  }

  get fit(): Fit {
    return fitOf(this.state.data, this.state.error);
  }
}

/** Judge the handshake's answer. */
export function fitOf(status: IStatus | null, error: ApiError | null): Fit {
  if (error) {
    return error.kind === 'missing' ? 'missing' : 'unreachable';
  }
  if (!status) {
    return 'unknown';
  }
  if (status.api === API_VERSION) {
    return 'fits';
  }
  return status.api < API_VERSION ? 'older' : 'newer';
}
