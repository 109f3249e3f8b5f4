import { useState, type JSX } from 'react';

import { useEolab, useResource } from '../../context/context';
import type { ISavedEntry } from '../../server/answers';
import { ApiError } from '../../server/apiError';
import { tellFailure } from '../../ui/tellFailure';
import { readArea, readQuery } from '../model/query';
import { useSearch } from '../model/useSearch';
import { SavedList } from './SavedList';

/** Searches that are kept in the workspace. */
export function SavedSearches(): JSX.Element {
  const { catalog, trans } = useEolab();
  const [model, { query }] = useSearch();
  const { data } = useResource(catalog.saved);
  return (
    <SavedField
      label={trans.__('Saved searches')}
      kind="search"
      entries={data?.search ?? []}
      value={query.catalog ? query : null}
      onOpen={value => model.start(readQuery(value))}
    />
  );
}

/** Areas that are kept in the workspace. */
export function SavedAreas(): JSX.Element {
  const { catalog, trans } = useEolab();
  const [model, { query }] = useSearch();
  const { data } = useResource(catalog.saved);
  return (
    <SavedField
      label={trans.__('Saved areas')}
      kind="area"
      entries={data?.area ?? []}
      value={query.area ? { geometry: query.area } : null}
      onOpen={(value, name) => {
        model.change({ area: readArea(value.geometry) }, value.visited ?? '');
        const visited = new Date().toISOString().slice(0, 10);
        void catalog.keep('area', name, { ...value, visited });
      }}
    />
  );
}

interface IProps<T extends object> {
  label: string;
  kind: 'search' | 'area';
  entries: readonly ISavedEntry<T>[];
  /** What would be kept now; null where there is nothing to keep. */
  value: object | null;
  onOpen: (value: T, name: string) => void;
}

function SavedField<T extends object>(props: IProps<T>): JSX.Element {
  const { label, kind, entries, value, onOpen } = props;
  const { catalog, trans } = useEolab();
  const [name, setName] = useState('');
  const keep = async (called: string, kept: object | null): Promise<void> => {
    try {
      await catalog.keep(kind, called, kept);
      setName('');
    } catch (thrown) {
      tellFailure(ApiError.from(thrown), trans);
    }
  };
  const known = entries.find(entry => entry.name === name);
  return (
    <div className="eolab-Saved" role="group" aria-label={label}>
      <span className="eolab-mod-quiet">{label}</span>
      <SavedList
        entries={entries}
        onOpen={onOpen}
        onDrop={dropped => void keep(dropped, null)}
      />
      {value ? (
        <div className="eolab-Saved-new">
          <input
            aria-label={
              kind === 'area'
                ? trans.__('Name of the area')
                : trans.__('Name of the search')
            }
            placeholder={trans.__('a name')}
            value={name}
            onChange={event => setName(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Enter' && name.trim()) {
                event.preventDefault();
                void keep(name, value);
              }
            }}
          />
          <button
            type="button"
            className="eolab-Button"
            aria-disabled={!name.trim()}
            onClick={() => name.trim() && void keep(name, value)}
          >
            {known ? trans.__('Replace') : trans.__('Keep')}
          </button>
        </div>
      ) : null}
    </div>
  );
}
