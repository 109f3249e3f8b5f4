import { useState, type JSX } from 'react';

import { Figure } from '../../charts/Figure';
import { useNow, useResource, useTrans } from '../../context/context';
import { labelOf } from '../../context/names';
import { Pending } from '../../ui/Pending';
import { formatAge, formatCount, formatMoment } from '../../ui/format';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { Tabs } from '../../ui/Tabs';
import { CorrelationTable } from '../charts/CorrelationTable';
import { Histograms } from '../charts/Histograms';
import { PlacesMap } from '../charts/PlacesMap';
import { Lineage } from '../lineage/Lineage';
import { useFeatures } from '../model/featuresToken';
import { CommitHistory } from './CommitHistory';
import { GroupMenu } from './GroupMenu';
import { RowsTable } from './RowsTable';
import { SchemaTable } from './SchemaTable';
import { Tags } from './Tags';

interface IProps {
  name: string;
  version: number;
}

type Picture =
  | 'schema'
  | 'rows'
  | 'histograms'
  | 'correlations'
  | 'map'
  | 'history'
  | 'lineage';

/** A feature group in the main area: what it holds, held, and comes from. */
export function GroupTab({ name, version }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const resource = features.group(name, version);
  const { data: group, error } = useResource(resource);
  const now = useNow(true, 30_000);
  const [active, setActive] = useState<Picture>('schema');
  const [at, setAt] = useState<number | null>(null);
  if (!group) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  const label = labelOf(group);
  const commit = group.history.find(each => each.version === at) ?? null;
  const last = group.last_commit;
  return (
    <section
      className="eolab-FeatureTab"
      aria-label={trans.__('Feature group %1', label)}
    >
      <Stale error={error} />
      <header className="eolab-FeatureHeader">
        <div className="eolab-FeatureHeader-title">
          <h2 className="eolab-Name" title={label}>
            {name}
          </h2>
          <span className="eolab-Badge">{`v${version}`}</span>
          <Tags tags={group.tags} />
          <span className="eolab-FeatureHeader-actions">
            <GroupMenu group={group} commit={commit} />
          </span>
        </div>
        {group.description ? (
          <p className="eolab-FeatureHeader-text">{group.description}</p>
        ) : null}
        {group.keywords.length ? (
          <p className="eolab-FeatureHeader-text eolab-mod-quiet">
            {trans.__('Keywords: %1', group.keywords.join(', '))}
          </p>
        ) : null}
        <div className="eolab-Figures">
          <Figure
            name={trans.__('Rows')}
            value={formatCount(commit ? commit.total : group.rows)}
            detail={trans.__(
              'by %1',
              [
                ...group.primary_key,
                ...(group.event_time ? [group.event_time] : [])
              ].join(', ')
            )}
            wide
          />
          <Figure
            name={trans.__('Columns')}
            value={formatCount(group.columns.length)}
            detail={group.online ? trans.__('served online') : ''}
          />
          <Figure
            name={trans.__('Commits')}
            value={formatCount(group.commits)}
            detail={last ? formatAge(last.time, now, trans) : ''}
          />
          <Figure
            name={trans.__('Owner')}
            value={group.owner || '–'}
            detail={
              group.parents.length
                ? trans.__('made from %1', group.parents.join(', '))
                : ''
            }
          />
        </div>
        {commit ? (
          <p className="eolab-AsOf" role="status">
            {trans.__(
              'As known at %1 (commit %2)',
              formatMoment(commit.ingested / 1e6),
              commit.version
            )}
            <button className="eolab-Button" onClick={() => setAt(null)}>
              {trans.__('Back to the newest')}
            </button>
          </p>
        ) : null}
      </header>
      {last ? (
        <Tabs<Picture>
          label={trans.__('What the group holds')}
          tabs={[
            ['schema', trans.__('Schema')],
            ['rows', trans.__('Rows')],
            ['histograms', trans.__('Histograms')],
            ['correlations', trans.__('Correlations')],
            ...(group.geometry ? ([['map', trans.__('Map')]] as const) : []),
            ['history', trans.__('History')],
            ['lineage', trans.__('Lineage')]
          ]}
          active={active}
          onChange={setActive}
        >
          {tab => {
            switch (tab) {
              case 'schema':
                return <SchemaTable group={group} commit={commit} />;
              case 'rows':
                return <RowsTable group={group} commit={commit} />;
              case 'histograms':
                return <Histograms group={group} commit={commit} />;
              case 'correlations':
                return <CorrelationTable group={group} />;
              case 'map':
                return <PlacesMap group={group} />;
              case 'history':
                return (
                  <CommitHistory group={group} commit={commit} onRead={setAt} />
                );
              case 'lineage':
                return <Lineage kind="group" id={label} />;
            }
          }}
        </Tabs>
      ) : (
        <Notice
          title={trans.__('Nothing was inserted yet.')}
          text={trans.__('Insert rows:')}
          code={`ws.features.feature_group("${name}", ${version}).insert(rows)`}
        />
      )}
    </section>
  );
}
