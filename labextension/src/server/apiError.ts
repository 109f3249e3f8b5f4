/**
 * Why an answer did not come.
 *
 * - `offline`: no connection to the Jupyter server;
 * - `missing`: the server answers, but nobody serves the route (server half missing or older);
 * - `refused`: not logged in, or not allowed;
 * - `failed`: the server half answered with an error, told in `message` and `hint`.
 */
export type ApiErrorKind = 'offline' | 'missing' | 'refused' | 'failed';

/** The one error that leaves {@link Client}. */
export class ApiError extends Error {
  constructor(
    readonly kind: ApiErrorKind,
    readonly status: number,
    message: string,
    readonly hint: string
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Take any thrown value for what it is. */
  static from(error: unknown): ApiError {
    if (error instanceof ApiError) {
      return error;
    }
    const message = error instanceof Error ? error.message : String(error);
    return new ApiError('failed', 0, message, '');
  }
}
