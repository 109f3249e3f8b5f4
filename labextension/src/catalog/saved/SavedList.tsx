import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ISavedEntry, Json } from '../../server/contract';

interface IProps {
  entries: readonly ISavedEntry[];
  onOpen: (value: Json, name: string) => void;
  onDrop: (name: string) => void;
}

/** What is kept by a name: each can be opened, and dropped. */
export function SavedList(props: IProps): JSX.Element | null {
  const { entries, onOpen, onDrop } = props;
  const trans = useTrans();
  if (!entries.length) {
    return null;
  }
  return (
    <ul className="eolab-Saved-list">
      {entries.map(({ name, value }) => (
        <li key={name}>
          <button
            type="button"
            className="eolab-Link"
            onClick={() => onOpen(value, name)}
          >
            {name}
          </button>
          <button
            type="button"
            className="eolab-IconButton"
            aria-label={trans.__('Drop %1', name)}
            title={trans.__('Drop %1', name)}
            onClick={() => onDrop(name)}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="m12 10.600 5-5 1.400 1.400-5 5 5 5-1.400 1.400-5-5-5 5-1.400-1.400 5-5-5-5L7 5.600z" />
            </svg>
          </button>
        </li>
      ))}
    </ul>
  );
}
