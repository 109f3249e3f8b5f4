import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import { useCatalog } from '../model/catalogToken';
import { readQuery } from '../model/query';
import { useSearch } from '../model/useSearch';
import { SavedField } from './SavedField';

/** Searches that are kept in the workspace. */
export function SavedSearches(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { query }] = useSearch();
  const { data } = useResource(catalog.saved);
  return (
    <SavedField
      label={trans.__('Saved searches')}
      kind="search"
      entries={data?.search ?? []}
      value={query.catalog ? query : null}
      onOpen={value => model.start(readQuery(value))}
    />
  );
}
