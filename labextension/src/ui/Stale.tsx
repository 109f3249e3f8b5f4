import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { ApiError } from '../server/apiError';
import { failureTitle } from './failureText';

interface IProps {
  error: ApiError | null;
}

/** One line above data that could not be refreshed. */
export function Stale({ error }: IProps): JSX.Element | null {
  const trans = useTrans();
  if (!error) {
    return null;
  }
  return (
    <p className="eolab-Stale" role="status" title={error.hint}>
      {trans.__('Not refreshed: %1', failureTitle(error, trans))}
    </p>
  );
}
