import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { JSX } from 'react';

import { ApiError } from '../shared/apiError';
import { CommandIDs } from '../shared/commandIds';
import { useEolab, useResource } from '../shared/context';
import { Disclosure } from '../shared/Disclosure';
import { tellFailure } from './notify';
import { SavedList } from './SavedList';

/** Searches that are kept in the workspace, each a click away from its answer. */
export function SavedPanel(): JSX.Element | null {
  const { catalog, commands, trans } = useEolab();
  const { data } = useResource(catalog.saved);
  const entries = data?.search ?? [];
  if (!entries.length) {
    return null;
  }
  const open = (query: object): void =>
    void commands.execute(CommandIDs.searchScenes, {
      query: query as ReadonlyPartialJSONObject
    });
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
