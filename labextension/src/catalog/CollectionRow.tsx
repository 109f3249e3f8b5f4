import type { JSX } from 'react';

import { CommandIDs } from '../shared/commandIds';
import { useEolab } from '../shared/context';
import type { ICatalog, ICollection } from '../shared/contract';
import { Disclosure } from '../shared/Disclosure';
import { formatCount, formatInterval, UNKNOWN } from '../shared/format';
import { SimulatedBadge } from '../shared/SimulatedBadge';
import { CollectionAbout } from './CollectionAbout';
import { ItemList } from './ItemList';

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
      title={[collection.id, collection.description, collection.license]
        .filter(Boolean)
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
          className="eolab-Button"
          aria-label={trans.__('Search %1', collection.title || collection.id)}
          onClick={() =>
            void commands.execute(CommandIDs.searchScenes, {
              catalog: source.name,
              collection: collection.id
            })
          }
        >
          {trans.__('Search')}
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
