import { useState, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import { pythonString } from '../../context/pythonString';
import { ApiError } from '../../server/apiError';
import type { IIngest } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { SkippedList } from '../items/SkippedList';
import { useCatalog } from '../model/catalogToken';
import { isUnderWay } from '../model/ingests';

interface IProps {
  ingest: IIngest;
}

/** Rasters on their way into a collection: how far they are, and what came of them. */
export function IngestRow({ ingest }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const [failure, setFailure] = useState<ApiError | null>(null);
  const { id, state, done, total, items, holds } = ingest;
  const act = async (command: 'cancel' | 'forget'): Promise<void> => {
    setFailure(null);
    try {
      await catalog.ingests.act(id, command);
    } catch (thrown) {
      setFailure(ApiError.from(thrown));
    }
  };
  const steps: Record<string, string> = {
    'reading rasters': trans.__('reading rasters'),
    'writing items': trans.__('writing items')
  };
  const words: Record<IIngest['state'], string> = {
    waiting: trans.__('starting'),
    running: total
      ? trans.__('%1, %2 of %3', steps[ingest.step] ?? '', done, total)
      : trans.__('starting'),
    done: trans.__(
      '%1; the collection holds %2',
      trans._n('1 item added', '%1 items added', items),
      holds
    ),
    failed: trans.__('nothing was added'),
    cancelled: trans.__('cancelled'),
    interrupted: trans.__('interrupted: add them again')
  };
  const busy = isUnderWay(ingest);
  return (
    <div className="eolab-Ingest-row" data-state={state}>
      <div role="status">
        <strong>{ingest.catalog}</strong>{' '}
        <span className="eolab-mod-quiet">{words[state]}</span>
      </div>
      {busy ? (
        <progress
          aria-label={trans.__('Adding to %1', ingest.catalog)}
          // Without a value it only moves.
          {...(total ? { value: done, max: total } : {})}
        />
      ) : null}
      {ingest.message ? (
        <Failure
          error={new ApiError('failed', 0, ingest.message, ingest.hint)}
        />
      ) : null}
      {ingest.notes.length ? (
        <ul className="eolab-Ingest-notes">
          {ingest.notes.map(note => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      ) : null}
      <SkippedList skipped={ingest.skipped} />
      {failure ? <Failure error={failure} /> : null}
      <div className="eolab-Ingest-actions">
        {busy ? (
          <button className="eolab-Button" onClick={() => void act('cancel')}>
            {trans.__('Cancel')}
          </button>
        ) : (
          <>
            {state === 'done' ? (
              <>
                <button
                  className="eolab-Button eolab-mod-main"
                  onClick={() =>
                    void commands.execute(CommandIDs.searchScenes, {
                      catalog: ingest.catalog
                    })
                  }
                >
                  {trans.__('Search it on a map')}
                </button>
                <button
                  className="eolab-Button"
                  onClick={() =>
                    void commands.execute(CommandIDs.insertCell, {
                      origin: `ingest:${ingest.catalog}`,
                      code: openCode(ingest.catalog)
                    })
                  }
                >
                  {trans.__('Insert code')}
                </button>
              </>
            ) : null}
            <button className="eolab-Button" onClick={() => void act('forget')}>
              {trans.__('Remove from list')}
            </button>
          </>
        )}
      </div>
    </div>
  );
}

/** Python that opens what was added. */
function openCode(name: string): string {
  return [
    'import eolab as eo',
    '',
    'ws = eo.workspace()',
    `items = ws.catalog(${pythonString(name)}).search()`,
    'cube = eo.load(items, native=True)',
    'cube'
  ].join('\n');
}
