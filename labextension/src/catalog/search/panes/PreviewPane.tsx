import { useEffect, useState, type JSX } from 'react';

import { useEolab } from '../../../context/context';
import type { IItemDetail } from '../../../server/contract';
import { ApiError } from '../../../server/apiError';
import { failureText, failureTitle } from '../../../ui/failureText';
import { formatValue } from '../../../ui/format';
import { Loading } from '../../../ui/Loading';
import { useCatalog } from '../../model/catalogToken';
import { ways, type IWay } from './previewWays';

interface IProps {
  catalog: string;
  item: IItemDetail;
}

interface IShown {
  /** For what it was asked. */
  request: string;
  url: string;
  stretch: string;
  error: ApiError | null;
}

const MAPS = ['viridis', 'RdYlGn', 'magma', 'Blues', 'gray'];

/** A picture of an item through our server; a locked stretch compares dates. */
export function PreviewPane({ catalog, item }: IProps): JSX.Element {
  const { client, trans } = useEolab();
  const room = useCatalog();
  const choices = ways(item, trans);
  const [wanted, setWanted] = useState(room.previewing.way);
  const [colours, setColours] = useState(room.previewing.colours);
  const [lock, setLock] = useState(room.previewing.stretch);
  const [shown, setShown] = useState<IShown | null>(null);
  const way: IWay | undefined =
    choices.find(({ id }) => id === wanted) ?? choices[0];
  const query = JSON.stringify({
    collection: item.collection,
    item: item.id,
    size: 512,
    ...way?.query,
    ...(way?.query.index ? { map: colours } : {}),
    ...(lock ? { stretch: lock } : {})
  });

  useEffect(() => {
    room.keepPreviewing({ way: wanted, colours, stretch: lock });
  }, [room, wanted, colours, lock]);

  useEffect(() => {
    let url = '';
    let used = true;
    const path = `catalogs/${encodeURIComponent(catalog)}/preview`;
    client
      .picture(path, JSON.parse(query) as Record<string, string | number>)
      .then(
        ({ blob, headers }) => {
          if (used) {
            url = URL.createObjectURL(blob);
            const stretch = headers.get('Eolab-Stretch') ?? '';
            setShown({ request: query, url, stretch, error: null });
          }
        },
        (thrown: unknown) =>
          used &&
          setShown({
            request: query,
            url: '',
            stretch: '',
            error: ApiError.from(thrown)
          })
      );
    return () => {
      used = false;
      URL.revokeObjectURL(url);
    };
  }, [client, catalog, query]);

  const ready = shown?.request === query ? shown : null;
  const [low, high] = (ready?.stretch ?? '').split(',').map(Number);
  return (
    <figure className="eolab-Preview">
      <div className="eolab-Preview-bar">
        <label>
          <span>{trans.__('Preview')}</span>
          <select
            value={way?.id}
            onChange={event => {
              setWanted(event.target.value);
              // Limits of reflectance say nothing of an index.
              setLock('');
            }}
          >
            {choices.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {way?.query.index ? (
          <label>
            <span>{trans.__('Colours')}</span>
            <select
              value={colours}
              onChange={event => setColours(event.target.value)}
            >
              {MAPS.map(name => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        ) : null}
        <label className="eolab-Preview-lock">
          <input
            type="checkbox"
            checked={lock !== ''}
            disabled={!lock && !ready?.stretch}
            onChange={event =>
              setLock(event.target.checked ? (ready?.stretch ?? '') : '')
            }
          />
          <span>{trans.__('Same stretch on all dates')}</span>
        </label>
      </div>
      {ready?.error ? (
        <p role="alert" className="eolab-Preview-fault">
          {failureTitle(ready.error, trans)} {failureText(ready.error, trans)}
        </p>
      ) : ready ? (
        <img src={ready.url} alt={trans.__('%1, %2', way?.label, item.id)} />
      ) : (
        <Loading />
      )}
      {ready?.stretch ? (
        <figcaption className="eolab-mod-quiet">
          {trans.__('Drawn from %1 to %2', formatValue(low), formatValue(high))}
          {item.simulated ? ` · ${trans.__('simulated')}` : ''}
        </figcaption>
      ) : null}
    </figure>
  );
}
