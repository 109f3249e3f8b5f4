import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { BBox, ICatalog, ICollection } from '../../server/contract';
import { Facts } from '../../ui/Facts';
import { formatCount, formatInterval, UNKNOWN } from '../../ui/format';
import { Thumbnail } from '../items/Thumbnail';

interface IProps {
  source: ICatalog;
  collection: ICollection;
}

/** What a collection is: a picture of one of its scenes, where, when, under which licence. */
export function CollectionAbout({ source, collection }: IProps): JSX.Element {
  const trans = useTrans();
  const { id, bbox, interval, items, license } = collection;
  // Of a service a picture would be a search: only places that are at hand show one unasked.
  const near = !/^https?:/.test(source.url);
  return (
    <div className="eolab-CollectionAbout">
      {near ? (
        <Thumbnail
          source={source}
          item={{ id: '', collection: id, thumbnail: items !== 0 }}
        />
      ) : null}
      <Facts
        items={[
          [trans.__('Extent'), bbox ? extentText(bbox) : UNKNOWN],
          [trans.__('Dates'), formatInterval(interval)],
          [trans.__('Items'), items === null ? null : formatCount(items)],
          [trans.__('Licence'), license ? license : UNKNOWN]
        ]}
      />
    </div>
  );
}

/** A box as a map would write it: `11.93–12.07° E, 48.58–48.62° N`. */
export function extentText([west, south, east, north]: BBox): string {
  const side = (
    low: number,
    high: number,
    [minus, plus]: [string, string]
  ): string => {
    const one = (value: number): string => Math.abs(value).toFixed(2);
    const sign = (value: number): string => (value < 0 ? minus : plus);
    return sign(low) === sign(high)
      ? `${one(low)}–${one(high)}° ${sign(high)}`
      : `${one(low)}° ${sign(low)} – ${one(high)}° ${sign(high)}`;
  };
  return `${side(west, east, ['W', 'E'])}, ${side(south, north, ['S', 'N'])}`;
}
