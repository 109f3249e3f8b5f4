import { useEffect, useState, type JSX } from 'react';

import { useEolab, useResource, useTrans } from '../../context/context';
import { ApiError } from '../../server/apiError';
import type { ISearchHits } from '../../server/contract';
import { DateFields } from '../../ui/fields/DateFields';
import { Disclosure } from '../../ui/Disclosure';
import { Failure } from '../../ui/Failure';
import { Loading } from '../../ui/Loading';
import { Notice } from '../../ui/Notice';
import { useCatalog } from '../model/catalogToken';
import { useSearch } from '../model/useSearch';
import {
  findQuery,
  kindsOf,
  NO_WORDS,
  type IWords,
  type Results
} from './find';
import { FoundEntity } from './FoundEntity';

/** Results of each kind that are asked for. */
const MOST = 10;

interface IAnswer {
  /** To what. */
  asked: string;
  results: Results | null;
  /** Catalogues that could not be read, and why. */
  unread: readonly (readonly [string, string])[];
  error: ApiError | null;
}

/** Catalogues that a search left out. */
function Unread({
  catalogs
}: {
  catalogs: IAnswer['unread'];
}): JSX.Element | null {
  const trans = useTrans();
  return catalogs.length ? (
    <ul className="eolab-Find-unread">
      {catalogs.map(([name, reason]) => (
        <li key={name}>
          <span className="eolab-Warning">
            {trans.__('“%1” could not be read:', name)}
          </span>{' '}
          {reason}
        </li>
      ))}
    </ul>
  ) : null;
}

/** One box over everything: collections, scenes seen, features, studies, models. */
export function FindPanel(): JSX.Element {
  const { client, trans } = useEolab();
  const catalog = useCatalog();
  // A catalogue more or less is other results.
  const { received } = useResource(catalog.catalogs);
  const [, { query }] = useSearch();
  const [words, setWords] = useState<IWords>(NO_WORDS);
  const [answer, setAnswer] = useState<IAnswer | null>(null);
  const wanted = findQuery(words, query.area, MOST);
  const asked = wanted ? JSON.stringify(wanted) : '';
  const change = (part: Partial<IWords>): void =>
    setWords({ ...words, ...part });

  useEffect(() => {
    if (!asked) {
      return;
    }
    let used = true;
    // Words are typed letter by letter: ask when they rest.
    const timer = window.setTimeout(() => {
      client
        .get<ISearchHits>(
          'search',
          JSON.parse(asked) as Record<string, string | number>
        )
        .then(
          ({ results, unread }) =>
            used &&
            setAnswer({
              asked,
              results: results as unknown as Results,
              unread: Object.entries(unread),
              error: null
            }),
          (thrown: unknown) =>
            used &&
            setAnswer({
              asked,
              results: null,
              unread: [],
              error: ApiError.from(thrown)
            })
        );
    }, 300);
    return () => {
      used = false;
      window.clearTimeout(timer);
    };
  }, [client, asked, received]);

  const ready = answer?.asked === asked ? answer : null;
  const kinds = kindsOf(ready?.results ?? {}, trans);
  return (
    <div className="eolab-Find" role="search">
      <input
        type="search"
        aria-label={trans.__('Find in the workspace')}
        placeholder={trans.__('Find anything…')}
        value={words.text}
        onChange={event => change({ text: event.target.value })}
      />
      {asked ? (
        <>
          <Disclosure label={trans.__('Where and when')} level={2}>
            {() => (
              <div className="eolab-Find-limits">
                <DateFields
                  start={words.start}
                  end={words.end}
                  onChange={change}
                />
                <label className="eolab-Find-area">
                  <input
                    type="checkbox"
                    checked={words.here && query.area !== null}
                    disabled={query.area === null}
                    onChange={event => change({ here: event.target.checked })}
                  />{' '}
                  {query.area
                    ? trans.__('In the area of the map')
                    : trans.__('In the area of the map (none is drawn)')}
                </label>
              </div>
            )}
          </Disclosure>
          <div aria-live="polite">
            <Unread catalogs={ready?.unread ?? []} />
            {!ready ? (
              <Loading />
            ) : ready.error ? (
              <Failure error={ready.error} />
            ) : kinds.length ? (
              kinds.map(({ kind, label, things }) => (
                <section key={kind} aria-label={label}>
                  <h3 className="eolab-Heading">
                    {things.length < MOST
                      ? label
                      : trans.__('%1, the best %2', label, MOST)}
                  </h3>
                  <ul className="eolab-List">
                    {things.map(thing => (
                      <li key={thing.id}>
                        <FoundEntity kind={kind} thing={thing} />
                      </li>
                    ))}
                  </ul>
                </section>
              ))
            ) : (
              <Notice
                title={trans.__('Nothing is called so.')}
                text={trans.__(
                  'Scenes and collections of services are found here once a search has shown them.'
                )}
              />
            )}
          </div>
        </>
      ) : null}
    </div>
  );
}
