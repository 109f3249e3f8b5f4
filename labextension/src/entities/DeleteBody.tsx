import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import type { IDependents, IRef } from '../server/contract';
import { entityWords } from './words';

interface IProps {
  about: IDependents;
  days: number;
  trans: TranslationBundle;
}

/** How many of what hangs on an entity are named. */
const SHOWN = 6;

/** What happens when an entity is deleted, said before it is. */
export function DeleteBody({ about, days, trans }: IProps): JSX.Element {
  return (
    <div className="eolab-DeleteBody">
      <Named
        title={trans.__('Deleted with it, as they cannot be read without it:')}
        entities={about.broken}
        trans={trans}
      />
      <Named
        title={trans.__('Made from it; they stay:')}
        entities={about.made}
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
  entities,
  trans
}: {
  title: string;
  entities: readonly IRef[];
  trans: TranslationBundle;
}): JSX.Element | null {
  if (!entities.length) {
    return null;
  }
  const more = entities.length - SHOWN;
  return (
    <>
      <p>{title}</p>
      <ul>
        {entities.slice(0, SHOWN).map(entity => (
          <li key={`${entity.kind} ${entity.id}`}>
            {entityWords(entity, trans)}
          </li>
        ))}
        {more > 0 ? <li>{trans.__('and %1 more', more)}</li> : null}
      </ul>
    </>
  );
}
