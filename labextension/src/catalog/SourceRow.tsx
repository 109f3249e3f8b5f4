import type { JSX } from 'react';

import type { ICatalog } from '../shared/contract';
import { Disclosure } from '../shared/Disclosure';
import { SimulatedBadge } from '../shared/SimulatedBadge';
import { CollectionList } from './CollectionList';

interface IProps {
  source: ICatalog;
  open: boolean;
}

/** One catalogue. */
export function SourceRow({ source, open }: IProps): JSX.Element {
  return (
    <Disclosure
      open={open}
      title={[source.description, source.url].filter(Boolean).join('\n')}
      label={
        <>
          <span className="eolab-Name">{source.name}</span>
          {source.simulated ? <SimulatedBadge /> : null}
        </>
      }
      detail={source.description || source.url}
    >
      {() => <CollectionList source={source} />}
    </Disclosure>
  );
}
