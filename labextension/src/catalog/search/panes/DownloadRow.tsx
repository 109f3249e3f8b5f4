import { useState, type JSX } from 'react';

import { CommandIDs } from '../../../context/commandIds';
import { useEolab } from '../../../context/context';
import { ApiError } from '../../../server/apiError';
import type { IDownload, IDownloadFile } from '../../../server/contract';
import { Disclosure } from '../../../ui/Disclosure';
import { Failure } from '../../../ui/Failure';
import { useCatalog } from '../../model/catalogToken';
import { formatBytes, isBusy } from '../../model/downloads';
import { python } from '../results/searchCode';

interface IProps {
  download: IDownload;
  /** Where its files go. */
  folder: string;
}

/** One download: how far it is, and what can be done with it. */
export function DownloadRow({ download, folder }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const [failure, setFailure] = useState<ApiError | null>(null);
  const { id, state, done, total, files } = download;
  const act = async (
    command: 'cancel' | 'resume' | 'forget'
  ): Promise<void> => {
    setFailure(null);
    try {
      await catalog.downloads.act(id, command);
    } catch (thrown) {
      setFailure(ApiError.from(thrown));
    }
  };
  const words: Record<IDownload['state'], string> = {
    waiting: trans.__('waiting'),
    running: trans.__('running'),
    done: trans.__('done'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled'),
    interrupted: trans.__('interrupted')
  };
  const came = files.filter(isHere).length;
  const said = trans.__(
    '%1 of %2 files, %3',
    came,
    files.length,
    total > done
      ? trans.__('%1 of %2', formatBytes(done), formatBytes(total))
      : formatBytes(done)
  );
  const name = trans._n(
    '1 scene of %2',
    '%1 scenes of %2',
    download.items,
    download.catalog
  );
  const places = [
    ...new Set(files.filter(isHere).map(file => file.path.split('/')[0] ?? ''))
  ];
  return (
    <li className="eolab-Download-row" data-state={state}>
      <div>
        <strong>{name}</strong>{' '}
        <span className="eolab-mod-quiet">
          {files.length ? `${words[state]} · ${said}` : words[state]}
        </span>
      </div>
      <progress
        aria-label={trans.__('Download of %1', name)}
        value={total ? done : state === 'done' ? 1 : 0}
        max={total || 1}
      />
      {download.message ? (
        <p className="eolab-Download-message">{download.message}</p>
      ) : null}
      {failure ? <Failure error={failure} /> : null}
      <div className="eolab-Download-actions">
        {isBusy(download) ? (
          <button className="eolab-Button" onClick={() => void act('cancel')}>
            {trans.__('Cancel')}
          </button>
        ) : (
          <>
            {state === 'done' ? null : (
              <button
                className="eolab-Button"
                onClick={() => void act('resume')}
              >
                {trans.__('Go on')}
              </button>
            )}
            {places.length ? (
              <button
                className="eolab-Button"
                onClick={() =>
                  void commands.execute(CommandIDs.insertCell, {
                    origin: `download:${id}`,
                    code: openCode(folder, places)
                  })
                }
              >
                {trans.__('Insert code')}
              </button>
            ) : null}
            <button className="eolab-Button" onClick={() => void act('forget')}>
              {trans.__('Remove from list')}
            </button>
          </>
        )}
      </div>
      {files.length ? (
        <Disclosure label={trans.__('Files')} level={2}>
          {() => <Files files={files} />}
        </Disclosure>
      ) : null}
    </li>
  );
}

function Files({ files }: { files: readonly IDownloadFile[] }): JSX.Element {
  const { trans } = useEolab();
  const words: Record<IDownloadFile['state'], string> = {
    waiting: trans.__('waiting'),
    running: trans.__('coming'),
    done: trans.__('saved'),
    there: trans.__('was there'),
    failed: trans.__('failed')
  };
  return (
    <ul className="eolab-Assets">
      {files.map(file => (
        <li key={file.path} data-state={file.state}>
          <span className="eolab-Name">{file.path}</span>{' '}
          <span className="eolab-mod-quiet">
            {words[file.state]} · {formatBytes(file.done)}
          </span>
          {file.message ? <code>{file.message}</code> : null}
        </li>
      ))}
    </ul>
  );
}

function isHere({ state }: IDownloadFile): boolean {
  return state === 'done' || state === 'there';
}

/** Python that opens what was saved, without a network. */
function openCode(folder: string, places: readonly string[]): string {
  const paths = places.map(place => python(`${folder}/${place}`));
  const start = ['import eolab as eo', '', 'ws = eo.workspace()'];
  return (
    paths.length === 1
      ? [...start, `items = ws.catalog(${paths[0]}).search()`, 'items']
      : [
          ...start,
          'folders = [',
          ...paths.map(path => `    ${path},`),
          ']',
          'items = [item for folder in folders for item in ws.catalog(folder).search()]',
          'items'
        ]
  ).join('\n');
}
