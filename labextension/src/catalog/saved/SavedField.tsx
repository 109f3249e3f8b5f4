import { useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ISavedEntry, Json } from '../../server/contract';
import { ApiError } from '../../server/apiError';
import { tellFailure } from '../../ui/tellFailure';
import { useCatalog } from '../model/catalogToken';
import { SavedList } from './SavedList';

interface IProps {
  label: string;
  kind: 'search' | 'area';
  entries: readonly ISavedEntry[];
  /** What would be kept now; null where there is nothing to keep. */
  value: object | null;
  onOpen: (value: Json, name: string) => void;
}

/** What is kept of one kind, and keeping one more. */
export function SavedField(props: IProps): JSX.Element {
  const { label, kind, entries, value, onOpen } = props;
  const trans = useTrans();
  const catalog = useCatalog();
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
            {known ? trans.__('Replace') : trans.__('Save')}
          </button>
        </div>
      ) : null}
    </div>
  );
}
