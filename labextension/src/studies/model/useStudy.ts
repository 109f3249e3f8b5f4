import { useCallback, useState } from 'react';

import { useResource } from '../../context/context';
import type { ApiError } from '../../server/apiError';
import type { IStudySnapshot } from '../../server/contract';
import { useStudies } from './studiesToken';
import { useStudyClock, type IStudyClock } from './studyClock';
import type { StudyModel } from './studyModel';

/** What the views of a study share: how it stands, and which trials are chosen. */
export interface IStudyUse {
  model: StudyModel;
  study: IStudySnapshot | null;
  error: ApiError | null;
  /** When the snapshot came, by this machine's clock. */
  received: number;
  clock: IStudyClock;
  chosen: ReadonlySet<number>;
  /** Choose a trial, or choose it no longer. */
  toggle: (trial: number) => void;
  choose: (trials: ReadonlySet<number>) => void;
}

const NOBODY: ReadonlySet<number> = new Set();

/** Follow a study while the component can be seen. */
export function useStudy(name: string): IStudyUse {
  const studies = useStudies();
  const model = studies.study(name);
  const { data: study, error, received } = useResource(model);
  const [chosen, choose] = useState(NOBODY);
  const clock = useStudyClock(study, received);
  // The same for as long as the study is looked at: what gets it need not be drawn again.
  const toggle = useCallback((trial: number) => {
    choose(before => {
      const next = new Set(before);
      if (!next.delete(trial)) {
        next.add(trial);
      }
      return next;
    });
  }, []);
  return { model, study, error, received, clock, chosen, toggle, choose };
}
