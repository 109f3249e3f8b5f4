import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IFeatureView } from '../shared/contract';
import { Disclosure } from '../shared/Disclosure';
import { Facts } from '../shared/Facts';

interface IProps {
  view: IFeatureView;
}

/** One feature view: what it predicts, from which groups. */
export function ViewRow({ view }: IProps): JSX.Element {
  const trans = useTrans();
  return (
    <Disclosure
      title={view.description || view.name}
      label={
        <>
          <span className="eolab-Name">{view.name}</span>
          <span className="eolab-Badge">{`v${view.version}`}</span>
        </>
      }
      detail={[
        trans._n('1 feature', '%1 features', view.features),
        view.labels.length ? trans.__('labels %1', view.labels.join(', ')) : ''
      ]
        .filter(Boolean)
        .join(' · ')}
    >
      {() => (
        <>
          {view.description ? (
            <p className="eolab-Text">{view.description}</p>
          ) : null}
          <Facts
            items={[
              [trans.__('Labels'), view.labels.join(', ')],
              [trans.__('Groups'), view.groups.join(', ')]
            ]}
          />
        </>
      )}
    </Disclosure>
  );
}
