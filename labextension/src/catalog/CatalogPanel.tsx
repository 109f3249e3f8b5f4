import type { JSX } from 'react';

import { CommandIDs } from '../context/commandIds';
import { useEolab, useResource } from '../context/context';
import { Pending } from '../ui/Pending';
import { Notice } from '../ui/Notice';
import { Stale } from '../ui/Stale';
import { FindPanel } from './find/FindPanel';
import { IngestProgress } from './ingest/IngestProgress';
import { useCatalog } from './model/catalogToken';
import { SavedPanel } from './saved/SavedPanel';
import { AddSource } from './sources/AddSource';
import { SourceRow } from './sources/SourceRow';

/** The catalogues of the workspace, each opening to its collections and items. */
export function CatalogPanel(): JSX.Element {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const { data, error } = useResource(catalog.catalogs);
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void catalog.catalogs.refresh()} />
    );
  }
  if (!data.catalogs.length) {
    return (
      <Notice
        title={trans.__('No catalogue is configured.')}
        text={trans.__(
          'Name one in eolab.toml, or make the simulated sample region from a terminal:'
        )}
        code="eolab sample"
      >
        <AddRasters />
        <AddSource />
      </Notice>
    );
  }
  return (
    <>
      <Stale error={error} />
      <FindPanel />
      <div className="eolab-Catalog-actions">
        <button
          className="eolab-Button"
          onClick={() => void commands.execute(CommandIDs.searchScenes)}
        >
          {trans.__('Search on a map')}
        </button>
        <AddRasters />
      </div>
      <IngestProgress />
      <ul className="eolab-List">
        {data.catalogs.map(source => (
          <li key={source.name}>
            <SourceRow source={source} open={data.catalogs.length === 1} />
          </li>
        ))}
      </ul>
      <SavedPanel />
      <AddSource />
    </>
  );
}

function AddRasters(): JSX.Element {
  const { commands, trans } = useEolab();
  return (
    <button
      className="eolab-Button"
      title={trans.__('Describe your own rasters as a collection')}
      onClick={() => void commands.execute(CommandIDs.addRasters)}
    >
      {trans.__('Add rasters…')}
    </button>
  );
}
