import type { JSX } from 'react';

import { useEolab, useResource } from '../shared/context';
import { Failure } from '../shared/Failure';
import { Loading } from '../shared/Loading';
import { Notice } from '../shared/Notice';
import { Stale } from '../shared/Stale';
import { ModelRow } from './ModelRow';

/** The registered models. */
export function ModelsPanel(): JSX.Element {
  const { models, trans } = useEolab();
  const { data, error } = useResource(models);
  if (!data) {
    return error ? (
      <Failure error={error} onRetry={() => void models.refresh()} />
    ) : (
      <Loading />
    );
  }
  if (!data.models.length) {
    return (
      <Notice
        title={trans.__('No model is registered yet.')}
        text={trans.__('Refit the best trial of a study and register it:')}
        code={
          'ws.models.register(\n' +
          '    "crops", study.refit(),\n' +
          '    test=split.test)'
        }
      />
    );
  }
  return (
    <>
      <Stale error={error} />
      <ul className="eolab-List">
        {data.models.map(model => (
          <li key={model.name}>
            <ModelRow model={model} open={data.models.length === 1} />
          </li>
        ))}
      </ul>
    </>
  );
}
