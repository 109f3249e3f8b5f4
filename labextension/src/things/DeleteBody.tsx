import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { IDependents, IRef } from '../server/contract';
import { thingWords } from './words';

interface IProps {
  about: IDependents;
  days: number;
  trans: TranslationBundle;
}

/** How many of what hangs on a thing are named. */
const SHOWN = 6;

/** What happens when a thing is deleted, said before it is. */
export function DeleteBody({ about, days, trans }: IProps): JSX.Element {
  return (
    <div className="eolab-DeleteBody">
      <Named
        title={trans.__('Deleted with it, as they cannot be read without it:')}
        things={about.broken}
        trans={trans}
      />
      <Named
        title={trans.__('Made from it; they stay:')}
        things={about.made}
        trans={trans}
      />
      <p>
        {trans.__(
          'It goes to the bin with all that it holds. For %1 days it can be restored.',
          days
        )}
      </p>
    </div>
  );
}

function Named({
  title,
  things,
  trans
}: {
  title: string;
  things: readonly IRef[];
  trans: TranslationBundle;
}): JSX.Element | null {
  if (!things.length) {
    return null;
  }
  const more = things.length - SHOWN;
  return (
    <>
      <p>{title}</p>
      <ul>
        {things.slice(0, SHOWN).map(thing => (
          <li key={`${thing.kind} ${thing.id}`}>{thingWords(thing, trans)}</li>
        ))}
        {more > 0 ? <li>{trans.__('and %1 more', more)}</li> : null}
      </ul>
    </>
  );
}
