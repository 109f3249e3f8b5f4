import type { JSX } from 'react';

import { CommandIDs } from '../../../context/commandIds';
import { useEolab, useResource } from '../../../context/context';
import type {
  IFoundItem,
  IItemBand,
  IItemDetail
} from '../../../server/contract';
import { Disclosure } from '../../../ui/Disclosure';
import { Facts } from '../../../ui/Facts';
import { Pending } from '../../../ui/Pending';
import { formatScalar, formatValue, UNKNOWN } from '../../../ui/format';
import { Notice } from '../../../ui/Notice';
import { SimulatedBadge } from '../../../ui/SimulatedBadge';
import { useCatalog } from '../../model/catalogToken';
import { keyOf } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';
import { loadCode } from '../results/searchCode';
import { PreviewPane } from './PreviewPane';

/** The opened scene: picture, bands, properties, assets. */
export function ItemPane(): JSX.Element {
  const { trans } = useEolab();
  const [model, { query, opened, found }] = useSearch();
  const item = model.item(opened);
  if (!item) {
    return (
      <Notice
        title={trans.__('No scene is opened.')}
        text={trans.__(
          'Select one on the map, in the table or by its preview.'
        )}
      />
    );
  }
  const items = found?.items ?? [];
  const at = items.findIndex(each => keyOf(each) === opened);
  const step = (by: number): void => {
    const next = items[at + by];
    if (next) {
      model.open(keyOf(next));
      model.select(keyOf(next), false);
    }
  };
  return (
    <section className="eolab-Item-pane" aria-label={item.id}>
      <header>
        <h3>{item.id}</h3>
        {item.simulated ? <SimulatedBadge /> : null}
      </header>
      <div className="eolab-Item-steps">
        <button
          className="eolab-Button"
          aria-disabled={at <= 0}
          onClick={() => step(-1)}
        >
          {trans.__('Newer')}
        </button>
        <button
          className="eolab-Button"
          aria-disabled={at >= items.length - 1}
          onClick={() => step(1)}
        >
          {trans.__('Older')}
        </button>
      </div>
      <ItemBody key={opened} catalog={query.catalog} item={item} />
    </section>
  );
}

interface IBodyProps {
  catalog: string;
  item: IFoundItem;
}

function ItemBody({ catalog, item }: IBodyProps): JSX.Element {
  const { commands, trans } = useEolab();
  const room = useCatalog();
  const [, { query }] = useSearch();
  const resource = room.detail(catalog, item.collection, item.id);
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  return (
    <>
      {item.note ? <p className="eolab-Item-note">{item.note}</p> : null}
      <PreviewPane catalog={catalog} item={data} />
      <button
        className="eolab-Button"
        onClick={() =>
          void commands.execute(CommandIDs.insertCell, {
            origin: `item:${catalog}`,
            code: loadCode(
              { ...query, collection: item.collection },
              { ids: [item.id], bands: [], mask: data.mask }
            )
          })
        }
      >
        {trans.__('Insert code for this scene')}
      </button>
      <Disclosure
        open
        label={trans._n('1 band', '%1 bands', data.bands.length)}
      >
        {() => <BandTable bands={data.bands} />}
      </Disclosure>
      <Disclosure label={trans.__('Properties')}>
        {() => <Properties item={data} />}
      </Disclosure>
      <Disclosure label={trans._n('1 asset', '%1 assets', data.assets.length)}>
        {() => <Assets item={data} />}
      </Disclosure>
    </>
  );
}

function BandTable({ bands }: { bands: readonly IItemBand[] }): JSX.Element {
  const { trans } = useEolab();
  const columns: [string, (band: IItemBand) => string][] = [
    [trans.__('Band'), band => band.common],
    [
      trans.__('Asset'),
      band => (band.index > 1 ? `${band.asset}.${band.index}` : band.asset)
    ],
    [trans.__('µm'), band => formatValue(band.wavelength)],
    [trans.__('m'), band => formatValue(band.resolution)],
    [
      trans.__('Scale, offset'),
      band =>
        band.classes
          ? trans.__('classes')
          : `${formatValue(band.scale)}, ${formatValue(band.offset)}`
    ]
  ];
  return (
    <table className="eolab-Bands">
      <thead>
        <tr>
          {columns.map(([label]) => (
            <th key={label} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bands.map(band => (
          <tr key={`${band.asset}.${band.index}`}>
            {columns.map(([label, read]) => (
              <td key={label}>{read(band)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Properties({ item }: { item: IItemDetail }): JSX.Element {
  const told = Object.entries(item.properties).map(
    ([name, value]) =>
      [
        name,
        typeof value === 'object' && value !== null
          ? JSON.stringify(value)
          : formatScalar(value)
      ] as const
  );
  return <Facts items={told} />;
}

function Assets({ item }: { item: IItemDetail }): JSX.Element {
  return (
    <ul className="eolab-Assets">
      {item.assets.map(asset => (
        <li key={asset.key}>
          <span className="eolab-Name">{asset.key}</span>{' '}
          <span className="eolab-mod-quiet">
            {[asset.roles.join(', '), asset.title]
              .filter(Boolean)
              .join(' · ') || UNKNOWN}
          </span>
          <code>{asset.href}</code>
        </li>
      ))}
    </ul>
  );
}
