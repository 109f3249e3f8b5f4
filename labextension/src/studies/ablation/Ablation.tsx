import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { hasEndedState } from '../model/derive';
import { useStudies } from '../model/studiesToken';
import { AblationBars } from './AblationBars';
import { AblationFigures } from './AblationFigures';
import { AblationPairs } from './AblationPairs';
import { AblationShapley } from './AblationShapley';

interface IProps {
  study: IStudySnapshot;
  /** The variant whose runs are shown; null for all. */
  variant: string | null;
  onVariant: (variant: string | null) => void;
  /** Only the bars: for narrow places. */
  compact?: boolean;
}

/** What each part is worth, as far as the runs so far say. */
export function Ablation(props: IProps): JSX.Element {
  const { study, variant, onVariant, compact } = props;
  const trans = useTrans();
  const studies = useStudies();
  const resource = studies.study(study.name).ablation;
  const { data, error } = useResource(resource);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  if (!data.rows.some(row => row.drop)) {
    const ended = hasEndedState(study.state);
    return (
      <Notice
        tone={ended ? 'error' : 'plain'}
        title={
          ended
            ? trans.__('No difference is significant.')
            : trans.__('No difference is significant yet.')
        }
        // Once the study has ended, what is missing and why is all there is to say.
        text={
          ended && data.notes.length
            ? data.notes.join(' ')
            : trans.__(
                'It takes a run of the baseline and one of a variant on the same fold: %1 of %2 runs have ended.',
                data.ended,
                data.planned
              )
        }
      />
    );
  }
  return (
    <div className="eolab-Ablation" data-compact={compact}>
      <Stale error={error} />
      <AblationBars ablation={data} variant={variant} onVariant={onVariant} />
      {compact ? null : (
        <>
          {data.shapley.length ? <AblationShapley ablation={data} /> : null}
          {data.pairs.length ? <AblationPairs ablation={data} /> : null}
          {data.metrics.length ? <AblationFigures ablation={data} /> : null}
          <ul className="eolab-Ablation-words">
            {[...data.rows.map(row => row.words), ...data.notes].map(words =>
              words ? <li key={words}>{words}</li> : null
            )}
          </ul>
        </>
      )}
    </div>
  );
}
