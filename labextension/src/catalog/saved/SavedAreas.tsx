import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import { useCatalog } from '../model/catalogToken';
import { readArea, readObject } from '../model/query';
import { useSearch } from '../model/useSearch';
import { SavedField } from './SavedField';

/** Areas that are kept in the workspace. */
export function SavedAreas(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [model, { query }] = useSearch();
  const { data } = useResource(catalog.saved);
  return (
    <SavedField
      label={trans.__('Saved areas')}
      kind="area"
      entries={data?.area ?? []}
      value={query.area ? { geometry: query.area } : null}
      onOpen={(value, name) => {
        const area = readObject(value);
        const last = typeof area['visited'] === 'string' ? area['visited'] : '';
        model.change({ area: readArea(area['geometry']) }, last);
        const visited = new Date().toISOString().slice(0, 10);
        void catalog.keep('area', name, { ...area, visited });
      }}
    />
  );
}
