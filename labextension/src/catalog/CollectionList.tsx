import type { JSX } from 'react';

import { useEolab, useResource } from '../shared/context';
import type { ICatalog } from '../shared/contract';
import { Failure } from '../shared/Failure';
import { Loading } from '../shared/Loading';
import { Notice } from '../shared/Notice';
import { Stale } from '../shared/Stale';
import { CollectionRow } from './CollectionRow';
import { SkippedList } from './SkippedList';

interface IProps {
  source: ICatalog;
}

/** The collections of one catalogue. */
export function CollectionList({ source }: IProps): JSX.Element {
  const { catalog, trans } = useEolab();
  const resource = catalog.collections(source.name);
  const { data, error } = useResource(resource);
  if (!data) {
    return error ? (
      <Failure error={error} onRetry={() => void resource.refresh()} />
    ) : (
      <Loading />
    );
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
