import { useMemo, type JSX } from 'react';

import { useResource, useTrans } from '../../../context/context';
import type { ICalendar, IOverpass } from '../../../server/contract';
import type { Resource } from '../../../server/resource';
import { Pending } from '../../../ui/Pending';
import { formatValue, UNKNOWN } from '../../../ui/format';
import { Notice } from '../../../ui/Notice';
import { useCatalog } from '../../model/catalogToken';
import { datetimeOf, geometryOf } from '../../model/query';
import { keyOf } from '../../model/searchModel';
import { useSearch } from '../../model/useSearch';

/** The overpasses of the area: date by orbit, with what is clear of it. */
export function CalendarPane(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [, { query }] = useSearch();
  if (!query.area || !query.collection) {
    return (
      <Notice
        title={trans.__('The calendar is of an area and a collection.')}
        text={trans.__('Choose a collection, then draw a box or a polygon.')}
      />
    );
  }
  const request = {
    collection: query.collection,
    geometry: geometryOf(query.area),
    datetime: datetimeOf(query)
  };
  return <Passes resource={catalog.calendar(query.catalog, request)} />;
}

function Passes({ resource }: { resource: Resource<ICalendar> }): JSX.Element {
  const trans = useTrans();
  const [model, { query, found, selected, newSince }] = useSearch();
  const { data, error } = useResource(resource);
  const orbits = useMemo(() => orbitsOf(data?.passes ?? []), [data]);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  if (!data.passes.length) {
    return <Notice title={trans.__('No scene covers the area.')} />;
  }
  const isChosen = (pass: IOverpass): boolean =>
    pass.items.some(id =>
      selected.has(keyOf({ collection: query.collection, id }))
    );
  const open = (pass: IOverpass): void => {
    const keys = (found?.items ?? [])
      .filter(item => pass.items.includes(item.id))
      .map(keyOf);
    model.selectAll(keys);
    model.open(keys[0] ?? null);
  };
  const byDate = [...data.passes].reverse();
  return (
    <>
      {data.reason ? (
        <p className="eolab-Text">
          {trans.__('The valid fraction is not known: %1.', data.reason)}
        </p>
      ) : null}
      {data.older ? (
        <p className="eolab-Text">
          {trans.__('Only the newest are shown; narrow the dates.')}
        </p>
      ) : null}
      <table className="eolab-Calendar">
        <caption>
          {trans.__('Valid fraction of the area, by date and orbit')}
        </caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Date')}</th>
            {orbits.map(orbit => (
              <th key={orbit} scope="col">
                {orbit || trans.__('any orbit')}
              </th>
            ))}
            <th scope="col">{trans.__('Baseline')}</th>
          </tr>
        </thead>
        <tbody>
          {byDate.map(pass => (
            <tr key={`${pass.date} ${pass.items.join(' ')}`}>
              <th scope="row">
                {pass.date ?? UNKNOWN}{' '}
                {newSince && (pass.date ?? '') >= newSince ? (
                  <span
                    className="eolab-Badge"
                    title={trans.__('Since your visit on %1', newSince)}
                  >
                    {trans.__('new')}
                  </span>
                ) : null}
              </th>
              {orbits.map(orbit => (
                <td key={orbit}>
                  {orbit === orbitOf(pass) ? (
                    <button
                      className="eolab-Calendar-pass"
                      aria-pressed={isChosen(pass)}
                      title={pass.items.join('\n')}
                      style={{ '--clear': pass.valid ?? 0 } as object}
                      onClick={() => open(pass)}
                    >
                      {clearWord(pass)}
                    </button>
                  ) : null}
                </td>
              ))}
              <td className="eolab-mod-quiet">{pass.baseline || UNKNOWN}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );

  function clearWord(pass: IOverpass): string {
    if (pass.valid !== null) {
      return trans.__('%1 % valid', Math.round(pass.valid * 100));
    }
    return pass.cloud_cover === null
      ? trans.__('observed')
      : trans.__('%1 % cloud', formatValue(Math.round(pass.cloud_cover)));
  }
}

function orbitOf(pass: IOverpass): string {
  const { orbit, direction } = pass;
  return [orbit === null ? '' : String(orbit), direction ?? '']
    .filter(Boolean)
    .join(' ');
}

function orbitsOf(passes: readonly IOverpass[]): string[] {
  return [...new Set(passes.map(orbitOf))].sort();
}
