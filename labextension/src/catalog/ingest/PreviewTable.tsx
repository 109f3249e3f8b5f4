import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IIngestPreview, IPreviewedFile } from '../../server/contract';
import { datesOf, numbersOf, pixelOf, typesOf, type IFact } from './facts';

interface IProps {
  preview: IIngestPreview;
}

/** What will be understood, a row for each file; what is left out comes last. */
export function PreviewTable({ preview }: IProps): JSX.Element {
  const trans = useTrans();
  const files = [...preview.files].sort(
    (a, b) => Number(a.steps === 0) - Number(b.steps === 0)
  );
  return (
    // It scrolls on its own: who has no mouse must reach it.
    <div
      className="eolab-Ingest-scroll"
      role="region"
      aria-label={trans.__('Preview')}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <table className="eolab-Ingest-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('File')}</th>
            <th scope="col">{trans.__('Date')}</th>
            <th scope="col">{trans.__('Bands')}</th>
            <th scope="col">{trans.__('CRS')}</th>
            <th scope="col">{trans.__('Pixel')}</th>
            <th scope="col">{trans.__('Type')}</th>
            <th scope="col">{trans.__('Nodata')}</th>
            <th scope="col">{trans.__('Scale')}</th>
            <th scope="col">{trans.__('Offset')}</th>
          </tr>
        </thead>
        <tbody>
          {files.map(file => (
            <Row key={file.path} file={file} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ file }: { file: IPreviewedFile }): JSX.Element {
  const trans = useTrans();
  const name = file.path.split(/[\\/]/).pop() ?? file.path;
  const out = file.steps === 0;
  const undated = file.bands.length > 0 && file.time_from === 'missing';
  const why = undated
    ? trans.__(
        'no date in its name or tags. Give it above as the date of files without one.'
      )
    : file.skipped.join(' ');
  return (
    <>
      <tr data-out={out}>
        <th scope="row" title={file.path} rowSpan={why ? 2 : 1}>
          {name}
          {file.known ? (
            <span className="eolab-Ingest-from">
              {trans.__('there already')}
            </span>
          ) : null}
        </th>
        {file.bands.length ? (
          <>
            <Cell fact={datesOf(file, trans)} />
            <td>{file.bands.map(band => band.name).join(', ')}</td>
            <td>{file.crs}</td>
            <td className="eolab-Ingest-short">{pixelOf(file)}</td>
            <td>{typesOf(file)}</td>
            <Cell fact={numbersOf(file, 'nodata', trans)} />
            <Cell fact={numbersOf(file, 'scale', trans)} />
            <Cell fact={numbersOf(file, 'offset', trans)} />
          </>
        ) : (
          <Why text={why} out={out} />
        )}
      </tr>
      {why && file.bands.length ? (
        <tr data-out={out}>
          <Why text={why} out={out} />
        </tr>
      ) : why ? (
        <tr aria-hidden="true" />
      ) : null}
    </>
  );
}

function Cell({ fact }: { fact: IFact }): JSX.Element {
  return (
    <td
      title={fact.more || undefined}
      className={fact.text.length < 30 ? 'eolab-Ingest-short' : undefined}
    >
      {fact.text}
      {fact.from ? (
        <span className="eolab-Ingest-from">{fact.from}</span>
      ) : null}
    </td>
  );
}

function Why({ text, out }: { text: string; out: boolean }): JSX.Element {
  const trans = useTrans();
  return (
    <td colSpan={8} className="eolab-Ingest-why">
      <div>
        <span className="eolab-Warning">
          {out ? trans.__('Left out:') : trans.__('Partly left out:')}
        </span>{' '}
        {text}
      </div>
    </td>
  );
}
