import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import { opener } from '../../context/openThing';
import { useCatalog } from '../model/catalogToken';
import { EMPTY } from '../model/query';
import { dayOf, daysOf, type IFoundEntity } from './find';

interface IProps {
  kind: string;
  thing: IFoundEntity;
}

/** One result: what it is, where it is from; a click goes there. */
export function FoundEntity({ kind, thing }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const { data } = useResource(catalog.catalogs);
  const { title, detail } = thing;
  const source = detail['catalog'] ?? '';
  const collection = detail['collection'] ?? '';
  const known = data?.catalogs.some(({ name }) => name === source) ?? false;
  const search = (args: object) => (): void =>
    void commands.execute(
      CommandIDs.searchScenes,
      args as ReadonlyPartialJSONObject
    );
  const days = daysOf(thing);
  const act =
    kind === 'collection' && known
      ? search({ catalog: source, collection })
      : kind === 'item' && known
        ? search({
            query: {
              ...EMPTY,
              catalog: source,
              collection,
              // Its day, so that a service need not be read to its end.
              start: dayOf(thing.start),
              end: dayOf(thing.end),
              filters: { id: { values: [detail['item'] ?? ''] } }
            },
            item: `${collection}/${detail['item'] ?? ''}`
          })
        : opener({ kind, id: thing.id }, commands, trans)?.act;
  const from = [source, kind === 'item' ? collection : '', days]
    .filter(Boolean)
    .join(' · ');
  const more = from || (thing.id === title ? '' : thing.id);
  const inner = (
    <>
      <span className="eolab-Find-title">{title}</span>
      {more ? <span className="eolab-mod-quiet">{more}</span> : null}
    </>
  );
  const hint = [title, thing.id].filter((l, at, all) => all.indexOf(l) === at);
  return act ? (
    <button
      type="button"
      className="eolab-Find-thing"
      title={hint.join('\n')}
      onClick={act}
    >
      {inner}
    </button>
  ) : (
    <div className="eolab-Find-thing" title={hint.join('\n')}>
      {inner}
    </div>
  );
}
