import { useEffect, useState, type JSX } from 'react';

import { useEolab, useResource, useTrans } from '../../context/context';
import type { BBox } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { Pending } from '../../ui/Pending';
import { Loading } from '../../ui/Loading';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { Tabs } from '../../ui/Tabs';
import { SkippedList } from '../items/SkippedList';
import { useCatalog } from '../model/catalogToken';
import { useSearch } from '../model/useSearch';
import { SearchForm } from './form/SearchForm';
import { SearchMap } from './map/SearchMap';
import { CalendarPane } from './panes/CalendarPane';
import { DownloadPane } from './panes/DownloadPane';
import { FieldPane } from './panes/FieldPane';
import { ItemPane } from './panes/ItemPane';
import { Gallery } from './results/Gallery';
import { ResultsBar } from './results/ResultsBar';
import { ResultsTable } from './results/ResultsTable';

/** Catalogues searched: the form, the map with the table, pictures and details beside it. */
export function SearchTab(): JSX.Element {
  const trans = useTrans();
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
        text={trans.__('Add one in the Earth Observation panel.')}
      />
    );
  }
  return (
    <div className="eolab-SearchTab">
      <SearchForm catalogs={data.catalogs} />
      <Places />
      <Aside />
    </div>
  );
}

/** The map and the table. */
function Places(): JSX.Element {
  const { trans } = useEolab();
  const [model, { query, found, error, loading }] = useSearch();
  const extent = useExtent(query.catalog, query.collection);
  return (
    <section
      className="eolab-SearchTab-places"
      aria-label={trans.__('Scenes on the map and in a table')}
      aria-busy={loading}
    >
      <SearchMap extent={extent} />
      <ResultsBar />
      {error && !found ? (
        <Failure error={error} onRetry={() => void model.run()} />
      ) : (
        <div className="eolab-SearchTab-found">
          <Stale error={error} />
          {found?.message ? (
            <p className="eolab-Stale" role="status">
              {trans.__('The answer stops short: %1', found.message)}
            </p>
          ) : null}
          {found?.items.length ? (
            <ResultsTable />
          ) : found ? (
            <Notice
              title={trans.__('No scene fits.')}
              text={trans.__(
                'Widen the dates or the area, or allow more cloud.'
              )}
            />
          ) : loading ? (
            <Loading />
          ) : (
            <Notice
              title={trans.__('Nothing was asked yet.')}
              text={trans.__('Choose a catalogue, then search.')}
            />
          )}
          {found ? <SkippedList skipped={found.skipped} /> : null}
        </div>
      )}
    </section>
  );
}

type Pane = 'pictures' | 'scene' | 'calendar' | 'field' | 'download';

/** Pictures of all, or one thing whole. */
function Aside(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const [, { query, opened }] = useSearch();
  const { data } = useResource(catalog.catalogs);
  const [pane, setPane] = useState<Pane>('pictures');
  const source = data?.catalogs.find(({ name }) => name === query.catalog);
  const [last, setLast] = useState(opened);
  // The details of what is opened show themselves, unless pictures are being looked through.
  if (opened !== last) {
    setLast(opened);
    if (opened && pane !== 'pictures' && pane !== 'download') {
      setPane('scene');
    }
  }
  return (
    <aside
      className="eolab-SearchTab-aside"
      aria-label={trans.__('Previews and details')}
    >
      <Tabs
        label={trans.__('Previews and details')}
        tabs={[
          ['pictures', trans.__('Previews')],
          ['scene', trans.__('Scene')],
          ['calendar', trans.__('Calendar')],
          ['field', trans.__('Field')],
          ['download', trans.__('Files')]
        ]}
        active={pane}
        onChange={setPane}
      >
        {tab =>
          tab === 'pictures' ? (
            source ? (
              <Gallery source={source} />
            ) : (
              <Notice title={trans.__('No scene is found yet.')} />
            )
          ) : tab === 'scene' ? (
            <ItemPane />
          ) : tab === 'calendar' ? (
            <CalendarPane />
          ) : tab === 'field' ? (
            <FieldPane />
          ) : (
            <DownloadPane />
          )
        }
      </Tabs>
    </aside>
  );
}

/** Where a collection lies; the same object while nothing changed. */
function useExtent(name: string, collection: string): BBox | null {
  const catalog = useCatalog();
  const [extent, setExtent] = useState<BBox | null>(null);
  useEffect(() => {
    if (!name) {
      return;
    }
    const resource = catalog.collections(name);
    const read = (): void => {
      const known = resource.state.data?.collections.find(
        ({ id }) => id === collection
      );
      const next = known?.bbox ?? null;
      setExtent(last => (String(last) === String(next) ? last : next));
    };
    const onChanged = (): void => read();
    resource.changed.connect(onChanged);
    read();
    return () => {
      resource.changed.disconnect(onChanged);
    };
  }, [catalog, name, collection]);
  return extent;
}
