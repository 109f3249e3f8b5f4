import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { ICatalog, ICollection } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';
import { formatCount, formatInterval, UNKNOWN } from '../../ui/format';
import { SimulatedBadge } from '../../ui/SimulatedBadge';
import { ItemList } from '../items/ItemList';
import { CollectionAbout } from './CollectionAbout';

interface IProps {
  source: ICatalog;
  collection: ICollection;
  open: boolean;
}

/** One collection: its name, how many items, from when to when. */
export function CollectionRow(props: IProps): JSX.Element {
  const { source, collection, open } = props;
  const { commands, trans } = useEolab();
  const interval = formatInterval(collection.interval);
  const detail = [
    collection.items === null
      ? null
      : trans._n(
          '1 item',
          '%2 items',
          collection.items,
          formatCount(collection.items)
        ),
    interval === UNKNOWN ? null : interval
  ].filter(Boolean);
  return (
    <Disclosure
      level={2}
      open={open}
      title={[
        collection.title,
        collection.id,
        collection.description,
        collection.license
      ]
        .filter((line, at, all) => line && all.indexOf(line) === at)
        .join('\n')}
      label={
        <>
          <span className="eolab-Name">
            {collection.title || collection.id}
          </span>
          {/* A source that is simulated says so itself. */}
          {collection.simulated && !source.simulated ? (
            <SimulatedBadge />
          ) : null}
        </>
      }
      detail={detail.length ? detail.join(' · ') : collection.id}
      actions={
        <button
          className="eolab-IconButton"
          aria-label={trans.__('Search %1', collection.title || collection.id)}
          title={trans.__('Search %1', collection.title || collection.id)}
          onClick={() =>
            void commands.execute(CommandIDs.searchScenes, {
              catalog: source.name,
              collection: collection.id
            })
          }
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path
              fillRule="evenodd"
              d="M10 3a7 7 0 1 0 4.200 12.600l5 5 1.400-1.400-5-5A7 7 0 0 0 10 3zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10z"
            />
          </svg>
        </button>
      }
    >
      {() => (
        <>
          <CollectionAbout source={source} collection={collection} />
          <ItemList source={source} collection={collection} />
        </>
      )}
    </Disclosure>
  );
}
