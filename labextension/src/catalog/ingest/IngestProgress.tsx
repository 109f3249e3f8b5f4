import type { JSX } from 'react';

import { useResource } from '../../context/context';
import { useCatalog } from '../model/catalogToken';
import { isUnderWay } from '../model/ingests';
import { IngestRow } from './IngestRow';

/** What is being added just now; nothing most of the time. */
export function IngestProgress(): JSX.Element | null {
  const catalog = useCatalog();
  const { data } = useResource(catalog.ingests.all);
  const running = data?.ingests.filter(isUnderWay) ?? [];
  return running.length ? (
    <>
      {running.map(ingest => (
        <IngestRow key={ingest.id} ingest={ingest} />
      ))}
    </>
  ) : null;
}
