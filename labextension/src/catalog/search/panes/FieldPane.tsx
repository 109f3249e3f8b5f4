import { useMemo, useState, type JSX } from 'react';

import { Chart, type IDrawing } from '../../../charts/Chart';
import { useResource, useTrans } from '../../../context/context';
import type { IFieldCurve } from '../../../server/contract';
import type { Resource } from '../../../server/resource';
import { Pending } from '../../../ui/Pending';
import { formatCount, formatValue } from '../../../ui/format';
import { Notice } from '../../../ui/Notice';
import { SimulatedBadge } from '../../../ui/SimulatedBadge';
import type { ITip } from '../../../ui/Tip';
import { useCatalog } from '../../model/catalogToken';
import { datetimeOf, geometryOf } from '../../model/query';
import { keyOf } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';

const INDICES = ['NDVI', 'EVI', 'NDWI', 'NDMI', 'NDRE', 'NBR'];

/** The mean of an index over the drawn area, by clear date: before any code. */
export function FieldPane(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [, { query }] = useSearch();
  const [index, setIndex] = useState('NDVI');
  if (!query.area || !query.collection) {
    return (
      <Notice
        title={trans.__('Draw a field to see its curve.')}
        text={trans.__(
          'Choose a collection of optical scenes, then draw a box or a polygon.'
        )}
      />
    );
  }
  const request = {
    collection: query.collection,
    geometry: geometryOf(query.area),
    datetime: datetimeOf(query),
    max_cloud: query.maxCloud < 100 ? query.maxCloud : null,
    index
  };
  return (
    <div className="eolab-Field">
      <label>
        <span>{trans.__('Index')}</span>{' '}
        <select value={index} onChange={event => setIndex(event.target.value)}>
          {INDICES.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Curve resource={catalog.curve(query.catalog, request)} />
    </div>
  );
}

function Curve({ resource }: { resource: Resource<IFieldCurve> }): JSX.Element {
  const trans = useTrans();
  const [model, { found }] = useSearch();
  const { data, error } = useResource(resource);
  const drawing = useMemo(() => (data ? draw(data) : null), [data]);
  if (!data || !drawing) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  if (!data.points.length) {
    return (
      <Notice
        title={trans.__('No date has valid pixels of the area.')}
        text={trans.__('Widen the dates, or draw another area.')}
      />
    );
  }
  // One overpass may be several scenes side by side.
  const keysOf = (at: number): string[] => {
    const ids = data.points[at]?.item.split(',') ?? [];
    return (found?.items ?? []).filter(({ id }) => ids.includes(id)).map(keyOf);
  };
  const tipOf = (at: number): Omit<ITip, 'x' | 'y'> | null => {
    const point = data.points[at];
    return point
      ? {
          title: point.date,
          lines: [
            [data.index, formatValue(point.value)],
            [trans.__('Std'), formatValue(point.std)],
            [
              trans.__('Valid fraction'),
              trans.__('%1 %', Math.round(point.valid * 100))
            ]
          ],
          ...(keysOf(at).length
            ? { foot: trans.__('Click to see the scene') }
            : {})
        }
      : null;
  };
  return (
    <figure className="eolab-Field-curve">
      <figcaption>
        {trans.__('Mean %1 of %2 pixels', data.index, formatCount(data.pixels))}{' '}
        {data.simulated ? <SimulatedBadge /> : null}
      </figcaption>
      <Chart
        drawing={drawing}
        tip={(_, at) => tipOf(at)}
        onPick={(_, at) => {
          const [first, ...rest] = keysOf(at);
          if (first) {
            model.selectAll([first, ...rest]);
            model.open(first);
          }
        }}
        label={trans.__(
          '%1 on %2 valid dates, from %3 to %4',
          data.index,
          data.points.length,
          formatValue(Math.min(...data.points.map(point => point.value))),
          formatValue(Math.max(...data.points.map(point => point.value)))
        )}
        height={200}
      />
      <p className="eolab-mod-quiet">
        {data.masked
          ? trans._n(
              'Clouds and shadows are masked; %1 date is less than half valid.',
              'Clouds and shadows are masked; %1 dates are less than half valid.',
              data.cloudy
            )
          : trans.__(
              'Nothing tells what is cloudy here: every date is shown. Limit the cloud cover.'
            )}
        {data.older ? ` ${trans.__('Older dates are left out.')}` : ''}
      </p>
      <table className="eolab-Bands">
        <thead>
          <tr>
            <th scope="col">{trans.__('Date')}</th>
            <th scope="col">{data.index}</th>
            <th scope="col">{trans.__('Std')}</th>
            <th scope="col">{trans.__('Valid %')}</th>
          </tr>
        </thead>
        <tbody>
          {data.points.map(point => (
            <tr key={`${point.date} ${point.item}`}>
              <td>{point.date}</td>
              <td>{formatValue(point.value)}</td>
              <td>{formatValue(point.std)}</td>
              <td>{Math.round(point.valid * 100)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function draw({ points, index }: IFieldCurve): IDrawing {
  return {
    data: [
      points.map(point => Date.parse(point.date) / 1000),
      points.map(point => point.value)
    ],
    shape: index,
    options: palette => ({
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, focus: { prox: 1e3 } },
      scales: { x: { time: true } },
      axes: [
        { stroke: palette.quiet, grid: { show: false }, font: palette.font },
        {
          stroke: palette.quiet,
          font: palette.font,
          grid: { stroke: palette.grid, width: 1 }
        }
      ],
      series: [
        {},
        {
          label: index,
          stroke: palette.accent,
          width: 2,
          points: { show: true, size: 6, fill: palette.accent }
        }
      ]
    })
  };
}
