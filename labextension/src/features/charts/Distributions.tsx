import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IGroupDetails } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { Stale } from '../../ui/Stale';
import { useFeatures } from '../model/featuresToken';
import { Distribution } from './Distribution';

interface IProps {
  group: IGroupDetails;
  /** Over each other; the first is filled. */
  commits: readonly number[];
  /** A part of the names of the columns to show. */
  wanted: string;
}

/** The distribution of each column. */
export function Distributions(props: IProps): JSX.Element {
  const { group, commits, wanted } = props;
  const trans = useTrans();
  const features = useFeatures();
  const resource = features.overlaid(group.name, group.version, commits);
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  const keys = new Set([...group.primary_key, group.event_time]);
  const word = wanted.trim().toLowerCase();
  const columns = (data[0]?.statistics ?? [])
    .map(each => each.column)
    .filter(column => column.toLowerCase().includes(word))
    // What names a row is told last: its shape says least.
    .sort((a, b) => Number(keys.has(a)) - Number(keys.has(b)));
  return (
    <>
      <Stale error={error} />
      <ul className="eolab-Distributions">
        {columns.map(column => (
          <li key={column}>
            <Distribution
              column={column}
              unit={
                group.columns.find(each => each.name === column)?.unit ?? ''
              }
              series={data.map(
                each =>
                  each.statistics.find(about => about.column === column) ?? null
              )}
              commits={data.map(each => each.commit)}
            />
          </li>
        ))}
      </ul>
      {columns.length ? null : (
        <p className="eolab-None">{trans.__('No column fits “%1”.', wanted)}</p>
      )}
    </>
  );
}
