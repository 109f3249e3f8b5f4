import { useEffect, useId, useState, type JSX } from 'react';

import { useEolab } from '../../context/context';
import type { IFolder } from '../../server/contract';
import { useCatalog } from '../model/catalogToken';

interface IProps {
  value: string;
  onChange: (value: string) => void;
}

/** Where the rasters are: a path that is completed while it is typed, or some, one a line. */
export function PathField({ value, onChange }: IProps): JSX.Element {
  const { trans } = useEolab();
  const catalog = useCatalog();
  const [there, setThere] = useState<IFolder | null>(null);
  const [list, hint] = [useId(), useId()];
  const many = value.includes('\n');
  useEffect(() => {
    if (many) {
      return;
    }
    let used = true;
    const timer = window.setTimeout(() => {
      catalog.ingests.folder(value).then(
        found => used && setThere(found),
        // What is wrong with a path is said when it is asked for.
        () => used && setThere(null)
      );
    }, 200);
    return () => {
      used = false;
      window.clearTimeout(timer);
    };
  }, [catalog, value, many]);
  const rasters = value.trim() && !many ? (there?.rasters ?? 0) : 0;
  return (
    <div className="eolab-Ingest-path">
      <label>
        <span>{trans.__('Folder or file')}</span>
        {many ? (
          <textarea
            value={value}
            rows={Math.min(5, value.split('\n').length)}
            spellCheck={false}
            onChange={event => onChange(event.target.value)}
          />
        ) : (
          <input
            value={value}
            list={list}
            placeholder={trans.__('my-rasters')}
            spellCheck={false}
            autoComplete="off"
            aria-describedby={hint}
            onChange={event => onChange(event.target.value)}
          />
        )}
      </label>
      <datalist id={list}>
        {there?.entries.map(entry => (
          <option key={entry} value={entry} />
        ))}
      </datalist>
      <span id={hint} className="eolab-mod-quiet">
        {there?.stac && value.trim()
          ? trans.__('It is a STAC catalogue: add it as it is.')
          : rasters
            ? there?.whole === false
              ? trans.__('%1 rasters here, or more', rasters)
              : trans._n('1 raster here', '%1 rasters here', rasters)
            : trans.__('As the file browser shows it, or a whole path')}
      </span>
    </div>
  );
}
