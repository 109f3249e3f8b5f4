import { useState, type JSX } from 'react';

import { CommandIDs } from '../context/commandIds';
import { useEolab, useResource } from '../context/context';
import { labelOf } from '../context/names';
import { Failure } from '../ui/Failure';
import { Loading } from '../ui/Loading';
import { Notice } from '../ui/Notice';
import { Stale } from '../ui/Stale';
import { GroupRow } from './groups/GroupRow';
import { useFeatures } from './model/featuresToken';
import { findFeatures, tagsOf } from './model/findFeatures';
import { ViewRow } from './views/ViewRow';

/** A search is shown from this many groups and views on. */
const MANY = 3;

/** Feature groups, the views that are made of them, and their training datasets. */
export function FeaturesPanel(): JSX.Element {
  const { commands, trans } = useEolab();
  const features = useFeatures();
  const { data, error } = useResource(features.features);
  const [words, setWords] = useState('');
  const [tag, setTag] = useState<string | null>(null);
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
  const tags = tagsOf(data);
  const filtered = words.trim() !== '' || tag !== null;
  const found = filtered ? findFeatures(data, words, tag) : data;
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
            <li key={labelOf(group)}>
              <GroupRow group={group} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">{none}</p>
      )}
      <h4 className="eolab-Heading">{trans.__('Views')}</h4>
      {found.views.length ? (
        <ul className="eolab-List">
          {found.views.map(view => (
            <li key={labelOf(view)}>
              <ViewRow view={view} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="eolab-None">
          {filtered
            ? none
            : trans.__('None yet: a view joins groups to training data.')}
        </p>
      )}
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
