import type { JSX } from 'react';

import { useResource, useTrans } from '../context/context';
import { Pending } from '../ui/Pending';
import { Notice } from '../ui/Notice';
import { Stale } from '../ui/Stale';
import { ArchiveAndBin } from '../entities/ArchiveAndBin';
import { EntityItem } from '../entities/EntityItem';
import { useShown } from '../entities/entitiesToken';
import { ModelRow } from './ModelRow';
import { useModels } from './modelsToken';

/** The registered models. */
export function ModelsPanel(): JSX.Element {
  const trans = useTrans();
  const models = useModels();
  const { data, error } = useResource(models);
  const shownAs = useShown('model');
  if (!data) {
    return <Pending error={error} onRetry={() => void models.refresh()} />;
  }
  if (!data.models.length) {
    return (
      <>
        <ArchiveAndBin kinds={['model']} />
        <Notice
          title={trans.__('No model is registered yet.')}
          text={trans.__('Refit the best trial of a study and register it:')}
          code={
            'ws.models.register(\n' +
            '    "crops", study.refit(),\n' +
            '    test=split.test)'
          }
        />
      </>
    );
  }
  return (
    <>
      <Stale error={error} />
      <ul className="eolab-List">
        {data.models
          .filter(model => !shownAs(model.name).archived)
          .map(model => (
            <EntityItem key={model.name} kind="model" id={model.name}>
              <ModelRow model={model} open={data.models.length === 1} />
            </EntityItem>
          ))}
      </ul>
      <ArchiveAndBin kinds={['model']} />
    </>
  );
}
