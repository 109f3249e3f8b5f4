import type { JSX } from 'react';

import { useTrans } from '../context/context';

/** Stands where the first answer has not come yet. */
export function Loading(): JSX.Element {
  const trans = useTrans();
  return (
    <div className="eolab-Loading" role="status">
      <span className="eolab-Loading-dot" aria-hidden="true" />
      {trans.__('Loading…')}
    </div>
  );
}
