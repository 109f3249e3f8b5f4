import type { JSX } from 'react';

import { useEolab, useResource, useTrans } from '../../../context/context';
import type { ICatalog, ICollection } from '../../../server/contract';
import { DateFields } from '../../../ui/fields/DateFields';
import { SimulatedBadge } from '../../../ui/SimulatedBadge';
import { useCatalog } from '../../model/catalogToken';
import { EMPTY } from '../../model/query';
import { useSearch } from '../../model/useSearch';
import { SavedSearches } from '../../saved/SavedSearches';
import { AreaFields } from './AreaFields';
import { DateHistogram } from './DateHistogram';
import { QueryableFilters } from './QueryableFilters';

interface IProps {
  catalogs: readonly ICatalog[];
}

/** What is asked: where, when, how cloudy, what else. */
export function SearchForm({ catalogs }: IProps): JSX.Element {
  const { trans } = useEolab();
  const [model, { query, found, loading }] = useSearch();
  const source = catalogs.find(each => each.name === query.catalog);
  return (
    <form
      className="eolab-SearchForm"
      aria-label={trans.__('Search')}
      onSubmit={event => {
        event.preventDefault();
        void model.run();
      }}
    >
      <label>
        <span>
          {trans.__('Catalogue')}{' '}
          {source?.simulated ? <SimulatedBadge /> : null}
        </span>
        <select
          value={query.catalog}
          onChange={event =>
            model.start({ ...EMPTY, catalog: event.target.value })
          }
        >
          {query.catalog ? null : (
            <option value="">{trans.__('Choose one')}</option>
          )}
          {query.catalog && !source ? <option>{query.catalog}</option> : null}
          {catalogs.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {source ? <CollectionField source={source} /> : null}
      <label>
        <span>{trans.__('Keywords')}</span>
        <input
          type="search"
          value={query.text}
          placeholder={trans.__('in titles, descriptions, properties')}
          onChange={event => model.change({ text: event.target.value })}
        />
      </label>
      <fieldset>
        <legend>{trans.__('Dates')}</legend>
        <div className="eolab-SearchForm-pair">
          <DateFields
            start={query.start}
            end={query.end}
            onChange={dates => model.change(dates)}
          />
        </div>
        {found?.histogram.bins.length ? (
          <DateHistogram
            histogram={found.histogram}
            start={query.start}
            end={query.end}
            onPick={(start, end) => model.change({ start, end })}
          />
        ) : null}
        {query.start || query.end ? (
          <button
            type="button"
            className="eolab-Button"
            onClick={() => model.change({ start: '', end: '' })}
          >
            {trans.__('All dates')}
          </button>
        ) : null}
      </fieldset>
      <label>
        <span>
          {query.maxCloud < 100
            ? trans.__('Cloud at most %1 %', query.maxCloud)
            : trans.__('Any cloud')}
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={query.maxCloud}
          onChange={event =>
            model.change({ maxCloud: Number(event.target.value) })
          }
        />
      </label>
      <AreaFields />
      {query.collection ? (
        <QueryableFilters
          key={`${query.catalog}/${query.collection}`}
          catalog={query.catalog}
          collection={query.collection}
        />
      ) : null}
      <label className="eolab-SearchForm-limit">
        <span>{trans.__('Limit')}</span>
        <select
          value={query.limit}
          onChange={event =>
            model.change({ limit: Number(event.target.value) })
          }
        >
          {[100, 1000, 10_000].map(limit => (
            <option key={limit} value={limit}>
              {trans.__('%1 scenes', limit.toLocaleString('en-US'))}
            </option>
          ))}
        </select>
      </label>
      <div className="eolab-SearchForm-actions">
        <button
          className="eolab-Button eolab-mod-main"
          aria-disabled={!query.catalog}
        >
          {loading ? trans.__('Searching…') : trans.__('Search')}
        </button>
        {loading ? (
          <button
            type="button"
            className="eolab-Button"
            onClick={() => model.cancel()}
          >
            {trans.__('Cancel')}
          </button>
        ) : null}
        <button
          type="button"
          className="eolab-Button"
          onClick={() =>
            model.start({
              ...EMPTY,
              catalog: query.catalog,
              collection: query.collection
            })
          }
        >
          {trans.__('Reset')}
        </button>
      </div>
      <SavedSearches />
    </form>
  );
}

function CollectionField({ source }: { source: ICatalog }): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { query }] = useSearch();
  const { data, error } = useResource(catalog.collections(source.name));
  const collections: readonly ICollection[] = data?.collections ?? [];
  const known = collections.some(({ id }) => id === query.collection);
  return (
    <label>
      <span>{trans.__('Collection')}</span>
      <select
        value={query.collection}
        onChange={event =>
          model.start({
            ...query,
            collection: event.target.value,
            filters: {}
          })
        }
      >
        <option value="">
          {data || error ? trans.__('All') : trans.__('Loading…')}
        </option>
        {query.collection && !known ? (
          <option>{query.collection}</option>
        ) : null}
        {collections.map(({ id, title }) => (
          <option key={id} value={id}>
            {title || id}
          </option>
        ))}
      </select>
    </label>
  );
}
