import { useEffect, useRef, useState, type JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { ICatalog, ICollection } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { formatCount } from '../../ui/format';
import { Loading } from '../../ui/Loading';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { useCatalog } from '../model/catalogToken';
import { EVERYTHING } from '../model/itemsModel';
import { ItemRow } from './ItemRow';
import { ItemsFilter } from './ItemsFilter';
import { SkippedList } from './SkippedList';

interface IProps {
  source: ICatalog;
  collection: ICollection;
}

/** The items of one collection, with their filter. */
export function ItemList({ source, collection }: IProps): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  const model = catalog.items(source.name, collection.id);
  const { data, error } = useResource(model);
  const [filter, setFilter] = useState(model.filter);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  // A slider moves through many values: ask when it rests.
  const apply = (wanted: typeof filter): void => {
    setFilter(wanted);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void model.setFilter(wanted), 350);
  };
  return (
    <>
      <ItemsFilter
        filter={filter}
        interval={collection.interval}
        onChange={apply}
      />
      {!data ? (
        error ? (
          <Failure error={error} onRetry={() => void model.refresh()} />
        ) : (
          <Loading />
        )
      ) : (
        <>
          <Stale error={error} />
          {data.items.length ? (
            <ul className="eolab-List eolab-Items">
              {data.items.map(item => (
                <li key={item.id}>
                  <ItemRow source={source} item={item} />
                </li>
              ))}
            </ul>
          ) : (
            <Notice
              title={trans.__('No item fits.')}
              text={trans.__('Widen the dates or allow more cloud.')}
            >
              <button
                className="eolab-Button"
                onClick={() => apply(EVERYTHING)}
              >
                {trans.__('Show all')}
              </button>
            </Notice>
          )}
          {data.items.length ? (
            <div className="eolab-Items-foot">
              <span>
                {data.matched === null
                  ? trans.__('%1 shown', formatCount(data.items.length))
                  : trans.__(
                      '%1 of %2',
                      formatCount(data.items.length),
                      formatCount(data.matched)
                    )}
              </span>
              {model.hasMore ? (
                <button
                  className="eolab-Button"
                  onClick={() => void model.more()}
                >
                  {trans.__('Show more')}
                </button>
              ) : null}
            </div>
          ) : null}
          <SkippedList skipped={data.skipped} />
        </>
      )}
    </>
  );
}
