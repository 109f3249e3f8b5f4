import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useTrans } from '../../context/context';
import { labelOf } from '../../context/names';
import type { IFeatureView } from '../../server/contract';
import { EntityButton } from '../../entities/EntityButton';
import { EntityItem } from '../../entities/EntityItem';
import { useShown } from '../../entities/entitiesToken';
import { Disclosure } from '../../ui/Disclosure';
import { Facts } from '../../ui/Facts';
import { formatCount, formatMoment } from '../../ui/format';
import { OpenButton } from '../buttons/OpenButton';

interface IProps {
  view: IFeatureView;
}

/** One feature view: what it predicts, from which groups, and its training datasets. */
export function ViewRow({ view }: IProps): JSX.Element {
  const trans = useTrans();
  const { title } = useShown('view')(labelOf(view));
  const datasetShown = useShown('dataset');
  const idOf = (version: number): string => `${labelOf(view)}#${version}`;
  const datasets = view.datasets.filter(
    each => !datasetShown(idOf(each.version)).archived
  );
  return (
    <Disclosure
      title={view.description || view.name}
      label={
        <>
          <span className="eolab-Name">{title || view.name}</span>
          <span className="eolab-Badge">{`v${view.version}`}</span>
        </>
      }
      detail={[
        trans._n('1 feature', '%1 features', view.features),
        view.labels.length ? trans.__('labels %1', view.labels.join(', ')) : ''
      ]
        .filter(Boolean)
        .join(' · ')}
      actions={
        <>
          <OpenButton command={CommandIDs.openFeatureView} which={view} />
          <EntityButton kind="view" id={labelOf(view)} />
        </>
      }
    >
      {() => (
        <>
          {view.description ? (
            <p className="eolab-Text">{view.description}</p>
          ) : null}
          <Facts
            items={[
              [trans.__('Labels'), view.labels.join(', ') || '–'],
              [trans.__('Groups'), view.groups.join(', ')]
            ]}
          />
          <Disclosure
            level={2}
            open={datasets.length > 0}
            label={trans.__('Training datasets')}
            detail={view.datasets.length ? null : trans.__('none yet')}
          >
            {() =>
              view.datasets.length ? (
                <ul className="eolab-Datasets">
                  {datasets.map(each => (
                    <EntityItem
                      key={each.version}
                      kind="dataset"
                      id={idOf(each.version)}
                    >
                      <span className="eolab-Name">
                        {datasetShown(idOf(each.version)).title ||
                          trans.__('Dataset %1', each.version)}
                      </span>
                      <span className="eolab-mod-quiet">
                        {each.fault ??
                          [
                            ...Object.entries(each.parts ?? {}).map(
                              ([part, count]) => `${part} ${formatCount(count)}`
                            ),
                            each.created ? formatMoment(each.created) : '',
                            each.description
                          ]
                            .filter(Boolean)
                            .join(' · ')}
                      </span>
                      <EntityButton kind="dataset" id={idOf(each.version)} />
                    </EntityItem>
                  ))}
                </ul>
              ) : (
                <p className="eolab-None">
                  {trans.__(
                    'view.create_training_dataset(split) saves a split.'
                  )}
                </p>
              )
            }
          </Disclosure>
        </>
      )}
    </Disclosure>
  );
}
