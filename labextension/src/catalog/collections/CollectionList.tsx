import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { ICatalog } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { SkippedList } from '../items/SkippedList';
import { useCatalog } from '../model/catalogToken';
import { CollectionRow } from './CollectionRow';

interface IProps {
  source: ICatalog;
}

/** The collections of one catalogue. */
export function CollectionList({ source }: IProps): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const resource = catalog.collections(source.name);
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  return (
    <>
      <Stale error={error} />
      {data.collections.length ? (
        <ul className="eolab-List">
          {data.collections.map(collection => (
            <li key={collection.id}>
              <CollectionRow
                source={source}
                collection={collection}
                open={data.collections.length === 1}
              />
            </li>
          ))}
        </ul>
      ) : (
        <Notice
          title={trans.__('This catalogue has no collections.')}
          text={trans.__('Check its address: %1', source.url)}
        />
      )}
      <SkippedList skipped={data.skipped} />
    </>
  );
}
