import type { JSX } from 'react';

import { Figure } from '../../charts/Figure';
import { useNow, useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { formatDuration } from '../../ui/format';
import { elapsed, hasEndedState, remaining } from '../model/derive';

interface IProps {
  study: IStudySnapshot;
  received: number;
}

/** How long a study has run, each second, and about how long it will. */
export function ElapsedFigure({ study, received }: IProps): JSX.Element {
  const trans = useTrans();
  const now = useNow(!hasEndedState(study.state));
  const left = remaining(study);
  const { timeout } = study.budget;
  return (
    <Figure
      name={trans.__('Elapsed')}
      value={formatDuration(elapsed(study, received, now))}
      detail={[
        typeof timeout === 'number'
          ? trans.__('limit %1', formatDuration(timeout))
          : '',
        left === null ? '' : trans.__('about %1 left', formatDuration(left))
      ]
        .filter(Boolean)
        .join(' · ')}
    />
  );
}
