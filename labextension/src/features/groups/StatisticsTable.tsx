import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IFeatureGroup } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { formatCount } from '../../ui/format';
import { Stale } from '../../ui/Stale';
import { Histogram } from '../charts/Histogram';
import { describeColumn } from '../model/describeColumn';
import { useFeatures } from '../model/featuresToken';

interface IProps {
  group: IFeatureGroup;
}

/** What each column of a group holds. */
export function StatisticsTable({ group }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const resource = features.statistics(group.name, group.version);
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  return (
    <>
      <Stale error={error} />
      <ul className="eolab-Statistics">
        {data.statistics.map(column => (
          <li key={column.column}>
            <div className="eolab-Statistics-head">
              <span className="eolab-Name" title={column.column}>
                {column.column}
              </span>
              {column.nulls ? (
                <span
                  className="eolab-mod-quiet"
                  title={trans.__('%1 of %2', column.nulls, column.count)}
                >
                  {trans._n(
                    '1 missing',
                    '%2 missing',
                    column.nulls,
                    formatCount(column.nulls)
                  )}
                </span>
              ) : null}
            </div>
            {column.histogram ? (
              <Histogram column={column.column} histogram={column.histogram} />
            ) : null}
            <div className="eolab-Statistics-values">
              {describeColumn(column, trans)}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
