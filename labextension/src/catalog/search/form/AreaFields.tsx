import { useState, type JSX } from 'react';

import { useTrans } from '../../../context/context';
import { areaOfBox, boxOf, isBox } from '../../model/query';
import { useSearch } from '../../model/useSearch';
import { SavedAreas } from '../../saved/SavedAreas';

/** The area in numbers: what the map draws can be typed. */
export function AreaFields(): JSX.Element {
  const trans = useTrans();
  const [model, { query }] = useSearch();
  const bounds = query.area ? boxOf(query.area) : null;
  // What is being typed is not a box yet.
  const [typed, setTyped] = useState<(string | undefined)[]>([]);
  const sides = [
    trans.__('West'),
    trans.__('South'),
    trans.__('East'),
    trans.__('North')
  ];
  const change = (side: number, text: string): void => {
    const next = [0, 1, 2, 3].map(at =>
      at === side ? text : (typed[at] ?? bounds?.[at]?.toString())
    );
    const box = next.map(part => (part ? Number(part) : NaN));
    const [west = 0, south = 0, east = 0, north = 0] = box;
    const fine =
      box.every(Number.isFinite) &&
      Math.max(Math.abs(west), Math.abs(east)) <= 180 &&
      Math.max(Math.abs(south), Math.abs(north)) <= 90 &&
      west !== east &&
      south < north;
    setTyped(next);
    if (fine) {
      // From east of 180 degrees to west of them: over those, as STAC reads such a box.
      const over = west > east ? 360 : 0;
      model.change({ area: areaOfBox([west, south, east + over, north]) });
    }
  };
  return (
    <fieldset>
      <legend>
        {query.area && !isBox(query.area)
          ? trans.__('Area: a polygon, with its box')
          : trans.__('Area, in degrees')}
      </legend>
      <div className="eolab-SearchForm-pair">
        {sides.map((label, side) => (
          <label key={label}>
            <span>{label}</span>
            <input
              inputMode="decimal"
              value={typed[side] ?? bounds?.[side]?.toString() ?? ''}
              onChange={event => change(side, event.target.value)}
              onBlur={() => bounds && setTyped([])}
            />
          </label>
        ))}
      </div>
      <SavedAreas />
    </fieldset>
  );
}
