import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useNow } from '../../context/context';
import { labelOf } from '../../context/names';
import type { IFeatureGroup } from '../../server/contract';
import { EntityButton } from '../../entities/EntityButton';
import { useShown } from '../../entities/entitiesToken';
import { Disclosure } from '../../ui/Disclosure';
import { Facts } from '../../ui/Facts';
import { formatAge, formatCount, formatMoment } from '../../ui/format';
import { OpenButton } from '../buttons/OpenButton';
import { ColumnTable } from './ColumnTable';
import { StatisticsTable } from './StatisticsTable';
import { Tags } from './Tags';

interface IProps {
  group: IFeatureGroup;
}

/** One feature group: rows, columns, last commit. */
export function GroupRow({ group }: IProps): JSX.Element {
  const { trans } = useEolab();
  const now = useNow(true, 30_000);
  const commit = group.last_commit;
  const detail = [
    trans._n('1 row', '%2 rows', group.rows, formatCount(group.rows)),
    trans._n('1 column', '%1 columns', group.columns.length),
    commit ? formatAge(commit.time, now, trans) : trans.__('nothing inserted')
  ].join(' · ');
  const { title } = useShown('group')(labelOf(group));
  return (
    <Disclosure
      title={group.description || group.name}
      label={
        <>
          <span className="eolab-Name">{title || group.name}</span>
          <span className="eolab-Badge">{`v${group.version}`}</span>
        </>
      }
      detail={detail}
      actions={
        <>
          <OpenButton command={CommandIDs.openFeatureGroup} which={group} />
          <EntityButton kind="group" id={labelOf(group)} />
        </>
      }
    >
      {() => (
        <>
          {group.description ? (
            <p className="eolab-Text">{group.description}</p>
          ) : null}
          <Facts
            items={[
              [trans.__('Primary key'), group.primary_key.join(', ')],
              [trans.__('Event time'), group.event_time],
              [trans.__('Owner'), group.owner],
              [trans.__('Keywords'), group.keywords.join(', ')],
              [trans.__('Commits'), formatCount(group.commits)],
              [
                trans.__('Last commit'),
                commit
                  ? trans.__(
                      '%1: %2, %3 rows, %4',
                      commit.version,
                      commit.operation,
                      formatCount(commit.rows),
                      formatMoment(commit.time)
                    )
                  : null
              ]
            ]}
          />
          <Tags tags={group.tags} />
          <Disclosure
            level={2}
            label={trans.__('Columns')}
            detail={null}
            open={true}
          >
            {() => <ColumnTable group={group} />}
          </Disclosure>
          <Disclosure level={2} label={trans.__('Statistics')}>
            {() => <StatisticsTable group={group} />}
          </Disclosure>
        </>
      )}
    </Disclosure>
  );
}
