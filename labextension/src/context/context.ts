import type { TranslationBundle } from '@jupyterlab/translation';
import {
  createContext,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore
} from 'react';

import type { IResourceState, Resource } from '../server/resource';
import type { IEolab } from './tokens';

/** The models that the tree below draws. */
export const EolabContext = createContext<IEolab | null>(null);

/** Whether the widget around the tree can be seen: what cannot be seen is not kept fresh. */
export const VisibleContext = createContext(true);

/** The models behind the panels. */
export function useEolab(): IEolab {
  const eolab = useContext(EolabContext);
  if (!eolab) {
    throw new Error('An eolab component was drawn outside its context.');
  }
  return eolab;
}

/** The translations of this extension. */
export function useTrans(): TranslationBundle {
  return useEolab().trans;
}

/** The state of a resource, kept fresh while the component can be seen. */
export function useResource<T>(resource: Resource<T>): IResourceState<T> {
  const visible = useContext(VisibleContext);
  useEffect(() => {
    if (!visible) {
      return;
    }
    const watch = resource.watch();
    return () => watch.dispose();
  }, [resource, visible]);
  return useSyncExternalStore(
    listener => {
      const onChanged = (): void => listener();
      resource.changed.connect(onChanged);
      return () => {
        resource.changed.disconnect(onChanged);
      };
    },
    () => resource.state
  );
}

/** Seconds since the epoch, ticking while wanted and visible. */
export function useNow(ticking: boolean, period = 1000): number {
  const visible = useContext(VisibleContext);
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!ticking || !visible) {
      return;
    }
    const tick = (): void => setNow(Date.now() / 1000);
    // What was hidden for a while must not wait a whole period.
    const first = window.setTimeout(tick);
    const timer = window.setInterval(tick, period);
    return () => {
      window.clearTimeout(first);
      window.clearInterval(timer);
    };
  }, [ticking, visible, period]);
  return now;
}
