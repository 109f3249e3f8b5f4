import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { IRegisteredModel } from '../server/contract';
import { EntityButton } from '../entities/EntityButton';
import { EntityItem } from '../entities/EntityItem';
import { useShown } from '../entities/entitiesToken';
import { Disclosure } from '../ui/Disclosure';
import { VersionRow } from './VersionRow';

interface IProps {
  model: IRegisteredModel;
  open: boolean;
}

/** One registered model, newest version first. */
export function ModelRow({ model, open }: IProps): JSX.Element {
  const trans = useTrans();
  const shownAs = useShown('model');
  const { title } = shownAs(model.name);
  const id = (version: number): string => `${model.name}/${version}`;
  const versions = [...model.versions]
    .filter(({ version }) => !shownAs(id(version)).archived)
    .sort((a, b) => b.version - a.version);
  return (
    <Disclosure
      open={open}
      title={model.name}
      label={<span className="eolab-Name">{title || model.name}</span>}
      actions={<EntityButton kind="model" id={model.name} />}
      detail={trans._n('1 version', '%1 versions', versions.length)}
    >
      {() => (
        <ul className="eolab-List">
          {versions.map((version, index) => (
            <EntityItem
              key={version.version}
              kind="model"
              id={id(version.version)}
            >
              <VersionRow
                version={version}
                id={id(version.version)}
                open={open && index === 0}
              />
            </EntityItem>
          ))}
        </ul>
      )}
    </Disclosure>
  );
}
