import { useSyncExternalStore } from 'react';

import { useEolab } from '../../shared/context';
import type { ISearchState, SearchModel } from './searchModel';

/** The search of the tab, with its state. */
export function useSearch(): [SearchModel, ISearchState] {
  const model = useEolab().catalog.search;
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
