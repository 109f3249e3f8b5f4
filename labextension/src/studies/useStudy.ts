import { useState } from 'react';

import type { ApiError } from '../shared/apiError';
import { useEolab, useNow, useResource } from '../shared/context';
import type { IStudySnapshot } from '../shared/contract';
import { hasEndedState } from './derive';
import type { StudyModel } from './studyModel';

/** What the views of a study share: how it stands, and which trials are chosen. */
export interface IStudyUse {
  model: StudyModel;
  study: IStudySnapshot | null;
  error: ApiError | null;
  /** When the snapshot came, by this machine's clock. */
  received: number;
  /** The moment by the server's clock, ticking while the study is at work. */
  now: number;
  chosen: ReadonlySet<number>;
  /** Choose a trial, or choose it no longer. */
  toggle: (trial: number) => void;
  choose: (trials: ReadonlySet<number>) => void;
}

const NOBODY: ReadonlySet<number> = new Set();

/** Follow a study while the component can be seen. */
export function useStudy(name: string): IStudyUse {
  const { studies } = useEolab();
  const model = studies.study(name);
  const { data: study, error, received } = useResource(model);
  const [chosen, choose] = useState(NOBODY);
  const clock = useNow(study !== null && !hasEndedState(study.state));
  return {
    model,
    study,
    error,
    received,
    // The two clocks may differ: count on from what the server said.
    now: (study?.now ?? 0) + Math.max(0, clock - received),
    chosen,
    toggle: trial => {
      const next = new Set(chosen);
      if (!next.delete(trial)) {
        next.add(trial);
      }
      choose(next);
    },
    choose
  };
}
