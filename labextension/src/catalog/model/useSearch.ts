import { useEffect, useRef, useSyncExternalStore } from 'react';

import { useCatalog } from './catalogToken';
import type { ISearchState, SearchModel } from './searchModel';

/** The search of the tab, with its state. */
export function useSearch(): [SearchModel, ISearchState] {
  const model = useCatalog().search;
  const state = useSyncExternalStore(
    listener => {
      const onChanged = (): void => listener();
      model.changed.connect(onChanged);
      return () => {
        model.changed.disconnect(onChanged);
      };
    },
    () => model.state
  );
  return [model, state];
}

/** The key of the item that the pointer is at. */
export function useHovered(model: SearchModel): string | null {
  return useSyncExternalStore(
    listener => {
      const onChanged = (): void => listener();
      model.hoverChanged.connect(onChanged);
      return () => {
        model.hoverChanged.disconnect(onChanged);
      };
    },
    () => model.hovered
  );
}

/** Do something when another question was answered, unless the opened item is in the answer too. */
export function useNewAnswer(then: () => void): void {
  const [, { found, query, opened }] = useSearch();
  const answered = useRef(query);
  useEffect(() => {
    if (found && answered.current !== query) {
      answered.current = query;
      if (opened === null) {
        then();
      }
    }
    // A question that is not answered yet changes nothing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [found]);
}
