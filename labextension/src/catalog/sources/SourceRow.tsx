import { useRef, useState, type JSX } from 'react';

import { useEolab } from '../../context/context';
import { ApiError } from '../../server/apiError';
import type { ICatalog } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';
import { SimulatedBadge } from '../../ui/SimulatedBadge';
import { tellFailure } from '../../ui/tellFailure';
import { CollectionList } from '../collections/CollectionList';
import type { IOwnCatalog } from '../../server/contract';
import { useCatalog } from '../model/catalogToken';
import { removeSource } from './removeSource';
import { SourceForm } from './SourceForm';

interface IProps {
  source: ICatalog;
  open: boolean;
}

/** One catalogue; one that somebody added can be changed and removed. */
export function SourceRow({ source, open }: IProps): JSX.Element {
  const eolab = useEolab();
  const { trans } = eolab;
  const catalog = useCatalog();
  const [entry, setEntry] = useState<IOwnCatalog | null>(null);
  const pencil = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setEntry(null);
    pencil.current?.focus();
  };
  const change = async (): Promise<void> => {
    try {
      setEntry(await catalog.entry(source.name));
    } catch (thrown) {
      tellFailure(ApiError.from(thrown), trans);
    }
  };
  return (
    <>
      <Disclosure
        open={open}
        title={[source.name, source.description, source.url]
          .filter(Boolean)
          .join('\n')}
        label={
          <>
            <span className="eolab-Name">{source.name}</span>
            {source.simulated ? <SimulatedBadge /> : null}
          </>
        }
        detail={
          <span className="eolab-Source-detail">
            {source.description || shortPlace(source.url)}
          </span>
        }
        actions={
          source.own ? (
            <>
              <button
                ref={pencil}
                className="eolab-IconButton"
                aria-label={trans.__('Change %1', source.name)}
                title={trans.__('Change %1', source.name)}
                aria-expanded={entry !== null}
                onClick={() => (entry ? close() : void change())}
              >
                <svg viewBox="0 0 24 24" aria-hidden="true">
                  <path d="M4 16.700V20h3.300l9.800-9.800-3.300-3.300zM19.700 7.600a1 1 0 0 0 0-1.400l-1.900-1.900a1 1 0 0 0-1.400 0l-1.500 1.500 3.300 3.300z" />
                </svg>
              </button>
              <button
                className="eolab-IconButton"
                aria-label={trans.__('Remove %1', source.name)}
                title={trans.__('Remove %1', source.name)}
                onClick={() => void removeSource(source.name, eolab)}
              >
                <svg viewBox="0 0 24 24" aria-hidden="true">
                  <path d="M9 3h6l1 1.500h4v2H4v-2h4zM5.500 8h13l-.900 13H6.400zM9 10.500v8h1.500v-8zm4.500 0v8H15v-8z" />
                </svg>
              </button>
            </>
          ) : null
        }
      >
        {() => <CollectionList source={source} />}
      </Disclosure>
      {entry ? (
        <SourceForm
          entry={entry}
          action={trans.__('Save')}
          onSend={async (said, login) => {
            await catalog.change(said, login);
            close();
          }}
          onCancel={close}
        />
      ) : null}
    </>
  );
}

/** The end of a path, and an address without its scheme: what tells one from another. */
function shortPlace(url: string): string {
  const [, host] = /^https?:\/\/(.*?)\/?$/.exec(url) ?? [];
  const parts = url.split('/');
  return host ?? (parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : url);
}
