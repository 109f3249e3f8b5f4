import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ApiError } from '../server/apiError';
import { failureText, failureTitle } from './failureText';

/** Tell of a failure that has no place of its own in a panel. */
export function tellFailure(error: ApiError, trans: TranslationBundle): void {
  Notification.error(
    `${failureTitle(error, trans)} ${failureText(error, trans)}`,
    // Without a time it would stand behind the bell only.
    { autoClose: 8000 }
  );
}
