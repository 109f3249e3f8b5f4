import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import { DateFields } from '../../ui/fields/DateFields';
import { EVERYTHING, type IItemsFilter } from '../model/itemsModel';

interface IProps {
  filter: IItemsFilter;
  /** The dates that the collection covers. */
  interval: readonly [string | null, string | null];
  onChange: (filter: IItemsFilter) => void;
}

/** Dates and cloud limit of the items to show. */
export function ItemsFilter(props: IProps): JSX.Element {
  const { filter, interval, onChange } = props;
  const trans = useTrans();
  const change = (part: Partial<IItemsFilter>): void =>
    onChange({ ...filter, ...part });
  const min = interval[0]?.slice(0, 10);
  const max = interval[1]?.slice(0, 10);
  const filtered =
    filter.start !== '' || filter.end !== '' || filter.maxCloud < 100;
  return (
    <div
      className="eolab-Filter"
      role="group"
      aria-label={trans.__('Filter items')}
    >
      <DateFields
        start={filter.start}
        end={filter.end}
        min={min}
        max={max}
        onChange={change}
      />
      <label className="eolab-Filter-cloud">
        <span>{trans.__('Cloud at most %1 %', filter.maxCloud)}</span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={filter.maxCloud}
          onChange={event => change({ maxCloud: Number(event.target.value) })}
        />
      </label>
      {filtered ? (
        <button className="eolab-Button" onClick={() => change(EVERYTHING)}>
          {trans.__('Reset')}
        </button>
      ) : null}
    </div>
  );
}
