import { useState, type JSX } from 'react';

import { useEolab, useResource, useTrans } from '../../../context/context';
import type { IAsset, IFoundItem } from '../../../server/contract';
import { ApiError } from '../../../server/apiError';
import { Failure } from '../../../ui/Failure';
import { Pending } from '../../../ui/Pending';
import { Notice } from '../../../ui/Notice';
import { useCatalog } from '../../model/catalogToken';
import { formatBytes } from '../../model/downloads';
import { keyOf } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';
import { DownloadRow } from './DownloadRow';

/** Which files of which scenes are saved, and how far those are that were asked for. */
export function DownloadPane(): JSX.Element {
  const { trans } = useEolab();
  const [model, { query, found, selected, opened }] = useSearch();
  const chosen = (found?.items ?? []).filter(item => selected.has(keyOf(item)));
  const one = model.item(opened);
  const items = chosen.length ? chosen : one ? [one] : [];
  const [first] = items;
  return (
    <div className="eolab-Download">
      {first ? (
        <Choice
          key={`${query.catalog}/${first.collection}`}
          catalog={query.catalog}
          first={first}
          items={items.filter(item => item.collection === first.collection)}
        />
      ) : (
        <Notice
          title={trans.__('Select scenes to save their files.')}
          text={trans.__(
            'Select them on the map, in the table or by their previews.'
          )}
        />
      )}
      <List />
    </div>
  );
}

interface IChoiceProps {
  catalog: string;
  /** The scene whose assets are offered. */
  first: IFoundItem;
  items: readonly IFoundItem[];
}

function Choice({ catalog, first, items }: IChoiceProps): JSX.Element {
  const trans = useTrans();
  const room = useCatalog();
  const resource = room.detail(catalog, first.collection, first.id);
  const { data, error } = useResource(resource);
  const [picked, setPicked] = useState<ReadonlySet<string> | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [asking, setAsking] = useState(false);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  const keys = picked ?? new Set(dataKeys(data.assets));
  const toggle = (key: string): void => {
    const next = new Set(keys);
    if (!next.delete(key)) {
      next.add(key);
    }
    setPicked(next);
  };
  const start = async (): Promise<void> => {
    setAsking(true);
    setFailure(null);
    try {
      await room.downloads.start(catalog, items, [...keys]);
    } catch (thrown) {
      setFailure(ApiError.from(thrown));
    } finally {
      setAsking(false);
    }
  };
  const size = data.assets
    .filter(asset => keys.has(asset.key))
    .reduce((sum, asset) => sum + (asset.size ?? 0), 0);
  const idle = asking || !keys.size;
  return (
    <fieldset className="eolab-Download-choice">
      <legend>
        {items.length === 1
          ? trans.__('Files of %1', first.id)
          : trans.__(
              'Files of %1 scenes, as %2 has them',
              items.length,
              first.id
            )}
      </legend>
      <div className="eolab-Download-pick">
        <button
          className="eolab-Button"
          onClick={() => setPicked(new Set(data.assets.map(({ key }) => key)))}
        >
          {trans.__('All')}
        </button>
        <button className="eolab-Button" onClick={() => setPicked(new Set())}>
          {trans.__('None')}
        </button>
      </div>
      <ul>
        {data.assets.map(asset => (
          <li key={asset.key}>
            <label title={asset.href}>
              <input
                type="checkbox"
                checked={keys.has(asset.key)}
                onChange={() => toggle(asset.key)}
              />
              <span>
                <span className="eolab-Name">{asset.key}</span>{' '}
                <span className="eolab-mod-quiet">
                  {[
                    asset.title,
                    asset.roles.join(', '),
                    asset.size ? formatBytes(asset.size) : ''
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </span>
            </label>
          </li>
        ))}
      </ul>
      <button
        className="eolab-Button eolab-mod-main"
        aria-disabled={idle}
        onClick={() => {
          if (!idle) {
            void start();
          }
        }}
      >
        {size
          ? trans._n(
              'Download 1 file, about %2',
              'Download %1 files, about %2',
              keys.size * items.length,
              formatBytes(size * items.length)
            )
          : trans._n(
              'Download 1 file',
              'Download %1 files',
              keys.size * items.length
            )}
      </button>
      {failure ? <Failure error={failure} /> : null}
    </fieldset>
  );
}

/** What is saved unless somebody says otherwise. */
function dataKeys(assets: readonly IAsset[]): string[] {
  const data = assets.filter(({ roles }) => roles.includes('data'));
  return (data.length ? data : assets).map(({ key }) => key);
}

function List(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const { all } = catalog.downloads;
  const { data, error } = useResource(all);
  if (!data) {
    return <Pending error={error} onRetry={() => void all.refresh()} />;
  }
  return (
    <section aria-label={trans.__('Downloads')}>
      <p className="eolab-Text eolab-mod-quiet">
        {trans.__('Files go to %1', data.folder)}
      </p>
      <ul className="eolab-Download-list">
        {data.downloads.map(download => (
          <DownloadRow
            key={download.id}
            download={download}
            folder={data.folder}
          />
        ))}
      </ul>
    </section>
  );
}
