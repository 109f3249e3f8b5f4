import type { JSX } from 'react';

import { useEolab, useResource } from '../shared/context';
import { Failure } from '../shared/Failure';
import { Loading } from '../shared/Loading';
import { Notice } from '../shared/Notice';
import { Stale } from '../shared/Stale';
import { GroupRow } from './GroupRow';
import { ViewRow } from './ViewRow';

/** Feature groups and the views that are made of them. */
export function FeaturesPanel(): JSX.Element {
  const { features, trans } = useEolab();
  const { data, error } = useResource(features.features);
  if (!data) {
    return error ? (
      <Failure error={error} onRetry={() => void features.features.refresh()} />
    ) : (
      <Loading />
    );
  }
  if (!data.groups.length && !data.views.length) {
    return (
      <Notice
        title={trans.__('No features yet.')}
        text={trans.__('Turn a cube into rows and insert them:')}
        code={
          'rows = cube.eo.zonal(parcels, stats=["median"])\n' +
          'fg = ws.features.get_or_create_feature_group(\n' +
          '    "parcels", primary_key=["parcel_id"], event_time="time")\n' +
          'fg.insert(rows)'
        }
      />
    );
  }
  return (
    <>
      <Stale error={error} />
      <h4 className="eolab-Heading">{trans.__('Groups')}</h4>
      {data.groups.length ? (
        <ul className="eolab-List">
          {data.groups.map(group => (
            <li key={`${group.name}/${group.version}`}>
              <GroupRow group={group} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">{trans.__('None yet.')}</p>
      )}
      <h4 className="eolab-Heading">{trans.__('Views')}</h4>
      {data.views.length ? (
        <ul className="eolab-List">
          {data.views.map(view => (
            <li key={`${view.name}/${view.version}`}>
              <ViewRow view={view} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">
          {trans.__(
            'None yet: ws.features.create_feature_view(…) joins groups to training data.'
          )}
        </p>
      )}
    </>
  );
}
