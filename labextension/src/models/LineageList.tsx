import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { IModelVersion } from '../server/contract';
import { EntityLink } from '../ui/EntityLink';

interface IProps {
  version: IModelVersion;
}

/** What a model was made from, nearest first; what has a tab opens in the main area. */
export function LineageList({ version }: IProps): JSX.Element | null {
  const trans = useTrans();
  if (!version.lineage.length) {
    return null;
  }
  return (
    <>
      <h4 className="eolab-Heading">{trans.__('Lineage')}</h4>
      <ol className="eolab-Lineage">
        {version.lineage.map(thing => (
          <li key={`${thing.kind} ${thing.id}`}>
            <span className="eolab-Badge">{thing.kind}</span>
            <EntityLink thing={thing} />
          </li>
        ))}
      </ol>
    </>
  );
}
