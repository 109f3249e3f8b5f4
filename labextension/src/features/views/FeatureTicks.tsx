import { useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import { labelOf } from '../../context/names';
import type { IFeatureGroup } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';
import { featuresOf } from '../model/columns';

interface IProps {
  group: IFeatureGroup;
  ticked: ReadonlySet<string>;
  /** The column that is predicted, where it is of this group. */
  label: string | null;
  onTick: (columns: readonly string[], on: boolean) => void;
}

/** A search is shown from this many columns on. */
const MANY = 12;

/** The columns of one group, to be ticked. */
export function FeatureTicks(props: IProps): JSX.Element {
  const { group, ticked, label, onTick } = props;
  const trans = useTrans();
  const [wanted, setWanted] = useState('');
  const name = labelOf(group);
  const all = featuresOf(group).filter(column => column !== label);
  const word = wanted.trim().toLowerCase();
  const shown = all.filter(column => column.toLowerCase().includes(word));
  return (
    <Disclosure
      open={true}
      title={group.description || name}
      label={<span className="eolab-Name">{name}</span>}
      detail={trans.__('%1 of %2 ticked', ticked.size, all.length)}
    >
      {() => (
        <div
          className="eolab-Ticks"
          role="group"
          aria-label={trans.__('Features of %1', name)}
        >
          <div className="eolab-Ticks-bar">
            {all.length >= MANY ? (
              <input
                type="search"
                placeholder={trans.__('Find features')}
                aria-label={trans.__('Find features of %1', name)}
                value={wanted}
                onChange={event => setWanted(event.target.value)}
              />
            ) : null}
            <button
              type="button"
              className="eolab-Button"
              aria-label={trans.__('Tick all of %1', name)}
              onClick={() => onTick(shown, true)}
            >
              {trans.__('All')}
            </button>
            <button
              type="button"
              className="eolab-Button"
              aria-label={trans.__('Tick none of %1', name)}
              onClick={() => onTick(shown, false)}
            >
              {trans.__('None')}
            </button>
          </div>
          <div className="eolab-Ticks-list">
            {shown.map(column => (
              <label
                key={column}
                title={
                  group.columns.find(each => each.name === column)
                    ?.description || column
                }
              >
                <input
                  type="checkbox"
                  checked={ticked.has(column)}
                  onChange={event => onTick([column], event.target.checked)}
                />
                <span>{column}</span>
              </label>
            ))}
          </div>
        </div>
      )}
    </Disclosure>
  );
}
