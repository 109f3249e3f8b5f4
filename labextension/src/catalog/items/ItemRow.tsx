import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ICatalog, IItem } from '../../server/contract';
import { formatDay } from '../../ui/format';
import { Thumbnail } from './Thumbnail';

interface IProps {
  source: ICatalog;
  item: IItem;
}

/** One scene: picture, date, cloud, what is odd about it. */
export function ItemRow({ source, item }: IProps): JSX.Element {
  const trans = useTrans();
  const about = [
    item.platform,
    item.epsg === null ? null : `EPSG:${item.epsg}`,
    item.bands.length ? trans._n('1 band', '%1 bands', item.bands.length) : null
  ].filter(Boolean);
  return (
    <div
      className="eolab-Item"
      title={[item.id, item.datetime, item.bands.join(', ')]
        .filter(Boolean)
        .join('\n')}
    >
      <Thumbnail source={source} item={item} />
      <div className="eolab-Item-text">
        <div className="eolab-Item-head">
          <span className="eolab-Item-date">{formatDay(item.datetime)}</span>
          {item.cloud_cover === null ? null : (
            <span className="eolab-Item-cloud">
              {trans.__('%1 % cloud', Math.round(item.cloud_cover))}
            </span>
          )}
        </div>
        <div className="eolab-Item-id">{item.id}</div>
        {about.length ? (
          <div className="eolab-Item-about">{about.join(' · ')}</div>
        ) : null}
        {item.notes.map(note => (
          <div className="eolab-Item-note" key={note}>
            {note}
          </div>
        ))}
      </div>
    </div>
  );
}
