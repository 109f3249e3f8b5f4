import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import { ApiError } from '../../server/apiError';
import type { Json } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';
import { tellFailure } from '../../ui/tellFailure';
import { useCatalog } from '../model/catalogToken';
import { SavedList } from './SavedList';

/** Searches that are kept in the workspace, each a click away from its answer. */
export function SavedPanel(): JSX.Element | null {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const { data } = useResource(catalog.saved);
  const entries = data?.search ?? [];
  if (!entries.length) {
    return null;
  }
  const open = (query: Json): void =>
    void commands.execute(CommandIDs.searchScenes, { query });
  const drop = (name: string): void => {
    catalog
      .keep('search', name, null)
      .catch((thrown: unknown) => tellFailure(ApiError.from(thrown), trans));
  };
  return (
    <Disclosure
      label={trans.__('Saved searches')}
      detail={trans._n('1 search', '%1 searches', entries.length)}
    >
      {() => (
        <div className="eolab-SavedPanel">
          <SavedList entries={entries} onOpen={open} onDrop={drop} />
        </div>
      )}
    </Disclosure>
  );
}
