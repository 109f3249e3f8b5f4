import type { JSX } from 'react';

import { useEolab } from '../context/context';
import { openEntityMenu } from './entityMenu';
import { useShown } from './entitiesToken';

interface IProps {
  kind: string;
  id: string;
}

/** Rename, archive and delete, behind one small button. */
export function EntityButton({ kind, id }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const shown = useShown(kind)(id);
  const word = trans.__('More for %1', shown.title || id);
  return (
    <button
      className="eolab-IconButton"
      aria-haspopup="menu"
      aria-label={word}
      title={word}
      onClick={event => {
        const { left, bottom } = event.currentTarget.getBoundingClientRect();
        openEntityMenu(commands, shown, left, bottom);
      }}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 2a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm0 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z" />
      </svg>
    </button>
  );
}
