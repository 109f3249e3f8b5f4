import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { IRegisteredModel } from '../server/contract';
import { Disclosure } from '../ui/Disclosure';
import { VersionRow } from './VersionRow';

interface IProps {
  model: IRegisteredModel;
  open: boolean;
}

/** One registered model, newest version first. */
export function ModelRow({ model, open }: IProps): JSX.Element {
  const trans = useTrans();
  const versions = [...model.versions].sort((a, b) => b.version - a.version);
  return (
    <Disclosure
      open={open}
      title={model.name}
      label={<span className="eolab-Name">{model.name}</span>}
      detail={trans._n('1 version', '%1 versions', versions.length)}
    >
      {() => (
        <ul className="eolab-List">
          {versions.map((version, index) => (
            <li key={version.version}>
              <VersionRow version={version} open={open && index === 0} />
            </li>
          ))}
        </ul>
      )}
    </Disclosure>
  );
}
