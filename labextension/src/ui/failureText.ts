import type { TranslationBundle } from '@jupyterlab/translation';

import type { ApiError } from '../server/apiError';

/** The first line of a failure. */
export function failureTitle(
  error: ApiError,
  trans: TranslationBundle
): string {
  switch (error.kind) {
    case 'offline':
      return trans.__('The Jupyter server cannot be reached.');
    case 'missing':
      return trans.__('The server half of eolab does not answer this.');
    case 'refused':
      return trans.__('The server refused the request.');
    case 'failed':
      return error.message;
  }
}

/** What to do about a failure. */
export function failureText(error: ApiError, trans: TranslationBundle): string {
  switch (error.kind) {
    case 'offline':
      return trans.__(
        'The panel tries again by itself; what is shown may be old.'
      );
    case 'missing':
      return trans.__(
        'It is missing or older than this panel: install the same version of eolab where the Jupyter server runs, then restart the server.'
      );
    case 'refused':
      return trans.__('Log in again, then reload the page.');
    case 'failed':
      return error.hint;
  }
}
