import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { Loading } from '../../ui/Loading';
import { Notice } from '../../ui/Notice';
import { useStudies } from '../model/studiesToken';

interface IProps {
  study: IStudySnapshot;
}

/** How much of the metric's spread each parameter explains. */
export function Importance({ study }: IProps): JSX.Element {
  const trans = useTrans();
  const studies = useStudies();
  const resource = studies.study(study.name).importance;
  const { data, error } = useResource(resource);
  if (error && (!data || error.status === 409)) {
    return error.status === 409 ? (
      <Notice title={error.message} text={error.hint} />
    ) : (
      <Failure error={error} onRetry={() => void resource.refresh()} />
    );
  }
  if (!data) {
    return <Loading />;
  }
  const highest = Math.max(...data.importance.map(each => each.value), 1e-9);
  return (
    <div className="eolab-Importance">
      <ul>
        {data.importance.map(({ name, value }) => (
          <li key={name}>
            <span className="eolab-Importance-name" title={name}>
              {name}
            </span>
            <span className="eolab-Importance-bar" aria-hidden="true">
              <span
                style={{ width: `${(100 * Math.max(0, value)) / highest}%` }}
              />
            </span>
            <span className="eolab-Importance-value">{`${(100 * value).toFixed(0)} %`}</span>
          </li>
        ))}
      </ul>
      <p className="eolab-None">
        {trans.__('By %1, from %2 trials.', data.method, data.trials)}{' '}
        {data.left_out.length
          ? trans.__('Nothing can be said of: %1.', data.left_out.join(', '))
          : ''}
      </p>
    </div>
  );
}
