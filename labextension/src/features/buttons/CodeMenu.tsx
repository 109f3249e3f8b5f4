import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';

interface IProps {
  entries: readonly (readonly [
    word: string,
    args: ReadonlyPartialJSONObject
  ])[];
}

/** Code that can be put into the notebook. */
export function CodeMenu({ entries }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  return (
    <details className="eolab-Menu" data-side="right">
      <summary className="eolab-Button">{trans.__('Insert code')}</summary>
      <div className="eolab-Menu-body">
        {entries.map(([word, args]) => (
          <button
            key={word}
            onClick={event => {
              event.currentTarget.closest('details')?.removeAttribute('open');
              void commands.execute(CommandIDs.insertFeatureCode, args);
            }}
          >
            {word}
          </button>
        ))}
      </div>
    </details>
  );
}
