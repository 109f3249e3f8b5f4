import { useState, type JSX } from 'react';

import { useEolab, useResource, useTrans } from '../../../context/context';
import { formatValue } from '../../../ui/format';
import { useCatalog } from '../../model/catalogToken';
import type { IFilter } from '../../model/query';
import { useSearch } from '../../model/useSearch';

interface IProps {
  catalog: string;
  collection: string;
}

/** What the form asks for by itself, or what nobody filters by. */
const ELSEWHERE = new Set([
  'id',
  'collection',
  'geometry',
  'datetime',
  'start_datetime',
  'end_datetime',
  'eo:cloud_cover',
  'title',
  'description',
  'created',
  'updated'
]);

/** Filters by what the collection's items say of themselves; types and ranges from the catalogue. */
export function QueryableFilters(props: IProps): JSX.Element {
  const trans = useTrans();
  const room = useCatalog();
  const [model, { query }] = useSearch();
  const { data, error } = useResource(
    room.queryables(props.catalog, props.collection)
  );
  const [added, setAdded] = useState<readonly string[]>([]);
  const known = Object.entries(data?.queryables ?? {}).filter(
    ([name]) => !ELSEWHERE.has(name)
  );
  const names = [...new Set([...Object.keys(query.filters), ...added])];
  const change = (name: string, filter: IFilter | null): void => {
    const rest = Object.entries(query.filters).filter(([key]) => key !== name);
    const filters = Object.fromEntries(
      filter ? [...rest, [name, filter] as const] : rest
    );
    model.change({ filters });
  };
  return (
    <fieldset>
      <legend>{trans.__('Properties')}</legend>
      {names.map(name => (
        <PropertyFilter
          key={name}
          name={name}
          schema={data?.queryables[name] ?? {}}
          filter={query.filters[name] ?? {}}
          onChange={filter => change(name, filter)}
          onDrop={() => {
            setAdded(added.filter(each => each !== name));
            change(name, null);
          }}
        />
      ))}
      <label>
        <span>
          {error
            ? trans.__('The catalogue names none')
            : trans.__('Add a filter')}
        </span>
        <select
          value=""
          disabled={!known.length}
          onChange={event => setAdded([...added, event.target.value])}
        >
          <option value="">{trans.__('by property…')}</option>
          {known
            .filter(([name]) => !names.includes(name))
            .map(([name]) => (
              <option key={name}>{name}</option>
            ))}
        </select>
      </label>
    </fieldset>
  );
}

/** A JSON schema, as far as a filter needs it. */
interface IQueryable {
  type?: string | string[];
  title?: string;
  description?: string;
  minimum?: number;
  maximum?: number;
  enum?: (string | number)[];
}

interface IFilterProps {
  name: string;
  schema: IQueryable;
  filter: IFilter;
  onChange: (filter: IFilter) => void;
  onDrop: () => void;
}

function PropertyFilter(props: IFilterProps): JSX.Element {
  const { name, schema, filter, onChange, onDrop } = props;
  const { trans } = useEolab();
  const types = [schema.type ?? []].flat();
  const numeric = types.some(type => type === 'number' || type === 'integer');
  const bound = (side: 'min' | 'max', text: string): void => {
    onChange({ ...filter, [side]: text === '' ? undefined : Number(text) });
  };
  return (
    <div className="eolab-SearchForm-filter" role="group" aria-label={name}>
      <span className="eolab-SearchForm-property" title={schema.description}>
        {name}
      </span>
      <button
        type="button"
        className="eolab-Link"
        aria-label={trans.__('Drop the filter by %1', name)}
        onClick={onDrop}
      >
        {trans.__('drop')}
      </button>
      {numeric ? (
        <div className="eolab-SearchForm-pair">
          {(['min', 'max'] as const).map(side => (
            <input
              key={side}
              type="number"
              step="any"
              aria-label={
                side === 'min'
                  ? trans.__('%1 at least', name)
                  : trans.__('%1 at most', name)
              }
              placeholder={formatValue(
                side === 'min' ? schema.minimum : schema.maximum
              )}
              value={filter[side] ?? ''}
              onChange={event => bound(side, event.target.value)}
            />
          ))}
        </div>
      ) : (
        <ValueField {...props} boolean={types.includes('boolean')} />
      )}
    </div>
  );
}

function ValueField(props: IFilterProps & { boolean: boolean }): JSX.Element {
  const { name, schema, filter, onChange, boolean } = props;
  const { trans } = useEolab();
  const choices: readonly (string | number | boolean)[] = boolean
    ? [true, false]
    : (schema.enum ?? []);
  if (!choices.length) {
    return (
      <input
        aria-label={name}
        value={String(filter.values?.[0] ?? '')}
        onChange={event =>
          onChange(event.target.value ? { values: [event.target.value] } : {})
        }
      />
    );
  }
  return (
    <select
      aria-label={name}
      value={choices.findIndex(choice => choice === filter.values?.[0])}
      onChange={event => {
        const choice = choices[Number(event.target.value)];
        onChange(choice === undefined ? {} : { values: [choice] });
      }}
    >
      <option value={-1}>{trans.__('any')}</option>
      {choices.map((choice, at) => (
        <option key={String(choice)} value={at}>
          {String(choice)}
        </option>
      ))}
    </select>
  );
}
