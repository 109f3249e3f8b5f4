import { useState, type JSX } from 'react';

import { CommandIDs } from '../context/commandIds';
import { useEolab, useResource } from '../context/context';
import { labelOf } from '../context/names';
import { Pending } from '../ui/Pending';
import { Notice } from '../ui/Notice';
import { Stale } from '../ui/Stale';
import { ArchiveAndBin } from '../entities/ArchiveAndBin';
import { EntityItem } from '../entities/EntityItem';
import { useShown } from '../entities/entitiesToken';
import { GroupRow } from './groups/GroupRow';
import { useFeatures } from './model/featuresToken';
import { findFeatures, tagsOf } from './model/findFeatures';
import { ViewRow } from './views/ViewRow';

/** A search is shown from this many groups and views on. */
const MANY = 3;

/** What stands in this section, and comes back to it. */
const KINDS = ['group', 'view', 'dataset'];

/** Feature groups, the views that are made of them, and their training datasets. */
export function FeaturesPanel(): JSX.Element {
  const { commands, trans } = useEolab();
  const features = useFeatures();
  const { data, error } = useResource(features.features);
  const groupShown = useShown('group');
  const viewShown = useShown('view');
  const [words, setWords] = useState('');
  const [tag, setTag] = useState<string | null>(null);
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void features.features.refresh()} />
    );
  }
  if (!data.groups.length && !data.views.length) {
    return (
      <>
        <ArchiveAndBin kinds={KINDS} />
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
      </>
    );
  }
  const tags = tagsOf(data);
  const filtered = words.trim() !== '' || tag !== null;
  const listed = {
    groups: data.groups.filter(each => !groupShown(labelOf(each)).archived),
    views: data.views.filter(each => !viewShown(labelOf(each)).archived)
  };
  const found = filtered
    ? findFeatures(
        listed,
        words,
        tag,
        (kind, label) =>
          (kind === 'group' ? groupShown : viewShown)(label).title
      )
    : listed;
  const none = filtered ? trans.__('None fits.') : trans.__('None yet.');
  return (
    <>
      <Stale error={error} />
      {data.groups.length + data.views.length >= MANY ? (
        <input
          className="eolab-Search"
          type="search"
          placeholder={trans.__('Search features')}
          aria-label={trans.__('Search features')}
          value={words}
          onChange={event => setWords(event.target.value)}
        />
      ) : null}
      {tags.length ? (
        <div
          className="eolab-Tags"
          role="group"
          aria-label={trans.__('Only with a tag')}
        >
          {tags.map(each => (
            <button
              key={each}
              className="eolab-Badge eolab-mod-tag"
              aria-pressed={each === tag}
              onClick={() => setTag(each === tag ? null : each)}
            >
              {each}
            </button>
          ))}
        </div>
      ) : null}
      <h4 className="eolab-Heading">{trans.__('Groups')}</h4>
      {found.groups.length ? (
        <ul className="eolab-List">
          {found.groups.map(group => (
            <EntityItem key={labelOf(group)} kind="group" id={labelOf(group)}>
              <GroupRow group={group} />
            </EntityItem>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">{none}</p>
      )}
      <h4 className="eolab-Heading">{trans.__('Views')}</h4>
      {found.views.length ? (
        <ul className="eolab-List">
          {found.views.map(view => (
            <EntityItem key={labelOf(view)} kind="view" id={labelOf(view)}>
              <ViewRow view={view} />
            </EntityItem>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">
          {filtered
            ? none
            : trans.__('None yet: a view joins groups to training data.')}
        </p>
      )}
      <ArchiveAndBin kinds={KINDS} />
      {commands.hasCommand(CommandIDs.makeFeatureView) ? (
        <div className="eolab-Items-foot">
          <button
            className="eolab-Button"
            onClick={() => void commands.execute(CommandIDs.makeFeatureView)}
          >
            {trans.__('New view')}
          </button>
        </div>
      ) : null}
    </>
  );
}
