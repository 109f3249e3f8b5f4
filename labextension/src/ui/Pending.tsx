import type { JSX } from 'react';

import type { ApiError } from '../server/apiError';
import { Failure } from './Failure';
import { Loading } from './Loading';

interface IProps {
  error: ApiError | null;
  onRetry?: () => void;
}

/** In place of data that is not there yet: that it is on its way, or why it did not come. */
export function Pending({ error, onRetry }: IProps): JSX.Element {
  return error ? (
    <Failure error={error} {...(onRetry ? { onRetry } : {})} />
  ) : (
    <Loading />
  );
}
