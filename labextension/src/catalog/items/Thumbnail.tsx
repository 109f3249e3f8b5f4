import { useEffect, useRef, useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ICatalog, IItem } from '../../server/contract';
import { useCatalog } from '../model/catalogToken';

interface IProps {
  source: ICatalog;
  item: Pick<IItem, 'id' | 'collection' | 'thumbnail'>;
}

/** A scene's picture, fetched when it scrolls into sight. */
export function Thumbnail({ source, item }: IProps): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const node = useRef<HTMLDivElement>(null);
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const box = node.current;
    if (!item.thumbnail || !box) {
      return;
    }
    let wanted = true;
    const observer = new IntersectionObserver(entries => {
      if (!entries.some(entry => entry.isIntersecting)) {
        return;
      }
      observer.disconnect();
      catalog.thumbnails.get(source.name, item.collection, item.id).then(
        address => wanted && setUrl(address),
        // A picture that cannot be had is only a picture; but nobody waits for it any more.
        () => wanted && setFailed(true)
      );
    });
    observer.observe(box);
    return () => {
      wanted = false;
      observer.disconnect();
    };
  }, [catalog, source.name, item.collection, item.id, item.thumbnail]);
  return (
    <div className="eolab-Thumbnail" ref={node}>
      {url ? (
        <img src={url} alt={trans.__('Preview of %1', item.id)} />
      ) : item.thumbnail && !failed ? null : (
        <span className="eolab-Thumbnail-none">{trans.__('no preview')}</span>
      )}
    </div>
  );
}
