import type { JSX } from 'react';

import { Figure } from '../../charts/Figure';
import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { formatCount, formatValue } from '../../ui/format';
import { useStudies } from '../model/studiesToken';

interface IProps {
  study: IStudySnapshot;
}

/** What an ablation compares with: its best single run, of any variant and fold, says nothing. */
export function BaselineFigure({ study }: IProps): JSX.Element {
  const trans = useTrans();
  const studies = useStudies();
  const { data } = useResource(studies.study(study.name).ablation);
  const baseline = data?.rows[0];
  return (
    <Figure
      name={trans.__('Baseline %1', study.metric)}
      value={formatValue(baseline?.mean)}
      detail={
        baseline?.runs
          ? trans._n(
              'one run',
              'mean of %2 runs',
              baseline.runs,
              formatCount(baseline.runs)
            )
          : trans.__('none yet')
      }
      wide
    />
  );
}
