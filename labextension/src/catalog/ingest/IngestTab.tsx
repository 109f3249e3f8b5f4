import { useEffect, useRef, useState, type FormEvent, type JSX } from 'react';

import { useEolab, useResource } from '../../context/context';
import { ApiError } from '../../server/apiError';
import type { IIngestPreview } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { Loading } from '../../ui/Loading';
import { TextField } from '../../ui/fields/TextField';
import { useCatalog } from '../model/catalogToken';
import { EMPTY, nameOf, pathsOf, requestOf, type IDraft } from './draft';
import { IngestRow } from './IngestRow';
import { PathField } from './PathField';
import { PreviewTable } from './PreviewTable';

interface IAnswer {
  /** To what. */
  asked: string;
  preview: IIngestPreview;
}

/** Own rasters: what will be understood of them, what the user says, and adding them. */
export function IngestTab(): JSX.Element {
  const { trans } = useEolab();
  const catalog = useCatalog();
  const { ingests } = catalog;
  const { data } = useResource(ingests.all);
  const [draft, setDraft] = useState<IDraft>(() => withPaths(ingests.paths));
  const [answer, setAnswer] = useState<IAnswer | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const last = useRef(0);

  const look = async (form: IDraft): Promise<void> => {
    const number = (last.current += 1);
    const asked = JSON.stringify(requestOf(form));
    setBusy(true);
    setError(null);
    try {
      const preview = await ingests.preview(requestOf(form));
      if (number === last.current) {
        setAnswer({ asked, preview });
      }
    } catch (thrown) {
      if (number === last.current) {
        setError(ApiError.from(thrown));
      }
    } finally {
      if (number === last.current) {
        setBusy(false);
      }
    }
  };

  // Somebody opens it with paths, the first time or again.
  const open = useRef<() => void>(() => undefined);
  useEffect(() => {
    open.current = () => {
      if (ingests.paths.length) {
        const next = withPaths(ingests.paths);
        setDraft(next);
        setAnswer(null);
        void look(next);
      }
    };
  });
  useEffect(() => {
    const onNamed = (): void => open.current();
    onNamed();
    ingests.named.connect(onNamed);
    return () => {
      ingests.named.disconnect(onNamed);
    };
  }, [ingests]);

  // What was added is in the panel at once.
  const ended = data?.ingests.filter(({ state }) => state === 'done').length;
  useEffect(() => {
    if (ended) {
      catalog.added();
    }
  }, [catalog, ended]);

  const change = (part: Partial<IDraft>): void => {
    setError(null);
    setDraft({ ...draft, ...part });
  };
  const field = (
    key: Exclude<keyof IDraft, 'paths'>,
    label: string,
    placeholder: string
  ): JSX.Element => (
    <TextField
      label={label}
      value={draft[key]}
      placeholder={placeholder}
      onChange={value => change({ [key]: value })}
    />
  );
  const request = requestOf(draft);
  const asked = JSON.stringify(request);
  const current = answer?.asked === asked ? answer.preview : null;
  const paths = pathsOf(draft);
  const missing = !paths.length
    ? trans.__('Name a folder.')
    : !current
      ? answer
        ? trans.__('Something changed: preview it again.')
        : trans.__('Preview it first; that writes nothing.')
      : !request.to
        ? trans.__('Name the collection.')
        : !current.items
          ? trans.__('None of the files can be used.')
          : '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (paths.length && !busy) {
      void look(draft);
    }
  };
  const add = async (): Promise<void> => {
    if (missing || busy) {
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await ingests.start(request);
      setAnswer(null);
    } catch (thrown) {
      setError(ApiError.from(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="eolab-Ingest">
      <form aria-label={trans.__('Add rasters')} onSubmit={submit}>
        <div className="eolab-Ingest-line">
          <PathField
            value={draft.paths}
            onChange={value => {
              const own = draft.name !== nameOf(pathsOf(draft)[0] ?? '');
              const name = nameOf(value.split('\n')[0] ?? '');
              change(
                own && draft.name ? { paths: value } : { paths: value, name }
              );
            }}
          />
          {field('name', trans.__('Collection'), 'my-fields')}
          {field('time', trans.__('Date of files without one'), '2021-05-17')}
          {field(
            'pattern',
            trans.__('Pattern of dates in names'),
            '(?P<day>\\d\\d)(?P<month>\\d\\d)(?P<year>\\d{4})'
          )}
        </div>
        <fieldset>
          <legend>{trans.__('What you know of the files (optional)')}</legend>
          <div className="eolab-Ingest-line">
            {field(
              'only',
              trans.__('For the files'),
              trans.__('all, or drone_*')
            )}
            {field('bands', trans.__('Bands, in order'), 'red, green, blue')}
            {field('scale', trans.__('Scale'), '0.0001')}
            {field('offset', trans.__('Offset'), '-0.1')}
            {field('nodata', trans.__('Nodata'), '0, or nan')}
          </div>
        </fieldset>
        <div className="eolab-Ingest-actions">
          <button
            type="submit"
            className={`eolab-Button${current ? '' : ' eolab-mod-main'}`}
            aria-disabled={!paths.length || busy}
          >
            {trans.__('Preview')}
          </button>
          <button
            type="button"
            className={`eolab-Button${current ? ' eolab-mod-main' : ''}`}
            aria-disabled={missing !== '' || busy}
            aria-describedby="eolab-Ingest-word"
            onClick={() => void add()}
          >
            {current && request.to
              ? trans.__('Add to “%1”', request.to)
              : trans.__('Add')}
          </button>
          <span id="eolab-Ingest-word" role="status">
            {busy ? trans.__('Looking at the files…') : missing}
          </span>
        </div>
      </form>
      {error ? <Failure error={error} /> : null}
      {busy && !answer ? <Loading /> : null}
      {answer ? (
        <section
          aria-label={trans.__('What will be understood')}
          data-stale={!current}
        >
          <p className="eolab-Ingest-summary">
            {summary(answer.preview, trans)}
          </p>
          {answer.preview.notes.length ? (
            <ul className="eolab-Ingest-notes">
              {answer.preview.notes.map(note => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          ) : null}
          <PreviewTable preview={answer.preview} />
        </section>
      ) : null}
      {data?.ingests.length ? (
        <section aria-label={trans.__('Added')}>
          <h2 className="eolab-Heading">{trans.__('Added')}</h2>
          {data.ingests.map(ingest => (
            <IngestRow key={ingest.id} ingest={ingest} />
          ))}
        </section>
      ) : null}
    </div>
  );
}

function withPaths(paths: readonly string[]): IDraft {
  return { ...EMPTY, paths: paths.join('\n'), name: nameOf(paths[0] ?? '') };
}

/** How many files, of how many; what comes of them, and what is there already. */
function summary(
  preview: IIngestPreview,
  trans: ReturnType<typeof useEolab>['trans']
): string {
  const { files, found, whole, items, there, collection } = preview;
  const usable = files.filter(({ steps }) => steps > 0).length;
  const counted = found.toLocaleString('en');
  const shown =
    found > files.length || !whole
      ? trans.__(
          'First %1 of %2 files shown; %3 of them can be used.',
          files.length,
          whole ? counted : trans.__('more than %1', counted),
          usable
        )
      : trans._n(
          '%2 of 1 file can be used.',
          '%2 of %1 files can be used.',
          files.length,
          usable
        );
  const made = trans._n('They make 1 item', 'They make %1 items', items);
  const old = items - preview.new;
  const known = old ? trans.__(', %1 of them there already', old) : '';
  const holds = !collection
    ? ''
    : there
      ? trans._n(
          'The collection “%2” holds 1 item now.',
          'The collection “%2” holds %1 items now.',
          there,
          collection
        )
      : trans.__('The collection “%1” is new.', collection);
  return `${shown} ${made}${known}. ${holds}`.trim();
}
