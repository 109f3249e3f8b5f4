import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { ApiError } from '../server/apiError';
import { failureText, failureTitle } from './failureText';
import { Notice } from './Notice';

interface IProps {
  error: ApiError;
  onRetry?: () => void;
}

/** An answer that did not come: why, what to do, and a way to try again. */
export function Failure({ error, onRetry }: IProps): JSX.Element {
  const trans = useTrans();
  return (
    <Notice
      tone="error"
      title={failureTitle(error, trans)}
      text={failureText(error, trans)}
    >
      {onRetry ? (
        <button className="eolab-Button" onClick={onRetry}>
          {trans.__('Try again')}
        </button>
      ) : null}
    </Notice>
  );
}
