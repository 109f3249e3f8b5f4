import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ApiError } from './apiError';

/** Values of a query string; absent ones are left out. */
export type Query = Record<string, string | number | null | undefined>;

/** Talks to the server half; every failure leaves as an {@link ApiError}. */
export class Client {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  /** Where the Jupyter server is, ending in a slash. */
  get baseUrl(): string {
    return this._settings.baseUrl;
  }

  /** Fetch a JSON document. */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    const response = await this._request(path, query, { method: 'GET' });
    return (await Private.body(response)) as T;
  }

  /** Fetch an image. */
  async image(path: string, query: Query = {}): Promise<Blob> {
    const response = await this._request(path, query, { method: 'GET' });
    return response.blob();
  }

  /** Fetch an image with what its headers say of it. */
  async picture(
    path: string,
    query: Query = {}
  ): Promise<{ blob: Blob; headers: Headers }> {
    const response = await this._request(path, query, { method: 'GET' });
    return { blob: await response.blob(), headers: response.headers };
  }

  /** Send a JSON document. */
  async post<T>(path: string, body: object): Promise<T> {
    const response = await this._request(
      path,
      {},
      { method: 'POST', body: JSON.stringify(body) }
    );
    return (await Private.body(response)) as T;
  }

  /** Replace a JSON document. */
  async put<T>(path: string, body: object): Promise<T> {
    const response = await this._request(
      path,
      {},
      { method: 'PUT', body: JSON.stringify(body) }
    );
    return (await Private.body(response)) as T;
  }

  /** Delete a thing; the answer says what is left. */
  async delete<T>(path: string, query: Query = {}): Promise<T> {
    const response = await this._request(path, query, { method: 'DELETE' });
    return (await Private.body(response)) as T;
  }

  private async _request(
    path: string,
    query: Query,
    init: RequestInit
  ): Promise<Response> {
    const url =
      URLExt.join(this._settings.baseUrl, 'eolab/api/v1', path) +
      Private.queryString(query);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw new ApiError('offline', 0, String(error), '');
    }
    if (!response.ok) {
      throw await Private.failure(response);
    }
    return response;
  }

  private readonly _settings: ServerConnection.ISettings;
}

namespace Private {
  export function queryString(query: Query): string {
    const given = Object.entries(query).filter(
      ([, value]) => value !== null && value !== undefined && value !== ''
    );
    if (!given.length) {
      return '';
    }
    const search = new URLSearchParams(
      given.map(([key, value]) => [key, String(value)])
    );
    return `?${search.toString()}`;
  }

  export async function body(response: Response): Promise<unknown> {
    try {
      return (await response.json()) as unknown;
    } catch (error) {
      throw new ApiError('failed', response.status, String(error), '');
    }
  }

  export async function failure(response: Response): Promise<ApiError> {
    let message = '';
    let hint: string | null = null;
    try {
      const answer = (await response.json()) as {
        message?: unknown;
        hint?: unknown;
      };
      message = typeof answer.message === 'string' ? answer.message : '';
      hint = typeof answer.hint === 'string' ? answer.hint : null;
    } catch {
      // An HTML error page: the route is not one of ours.
    }
    const { status, statusText } = response;
    if (status === 401 || status === 403) {
      return new ApiError('refused', status, message || statusText, hint ?? '');
    }
    // Our own 404 always carries a hint; a 404 without one means that nobody serves this route.
    if (status === 404 && hint === null) {
      return new ApiError('missing', status, message || statusText, '');
    }
    return new ApiError(
      'failed',
      status,
      message || `${status} ${statusText}`,
      hint ?? ''
    );
  }
}
