import type { JSX } from 'react';

import { useTrans } from '../context/context';

/** Marks data that was computed, not observed. */
export function SimulatedBadge(): JSX.Element {
  const trans = useTrans();
  return (
    <span
      className="eolab-Badge eolab-mod-simulated"
      title={trans.__('Computed by eolab, not observed by a satellite')}
    >
      {trans.__('simulated')}
    </span>
  );
}
