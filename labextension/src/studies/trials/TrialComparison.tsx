import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { formatDuration, formatScalar, formatValue } from '../../ui/format';
import { useStudyNow, type IStudyClock } from '../model/studyClock';
import { trialStateWord } from '../text/words';
import { shownValue, trialDuration } from './trialRows';

interface IProps {
  study: IStudySnapshot;
  trials: readonly ITrial[];
  clock: IStudyClock;
}

/** Trials beside each other; what differs is strong. */
export function TrialComparison(props: IProps): JSX.Element {
  const { study, trials, clock } = props;
  const now = useStudyNow(clock);
  const trans = useTrans();
  const lines: [string, string[]][] = [
    [trans.__('State'), trials.map(each => trialStateWord(each.state, trans))],
    [study.metric, trials.map(each => formatValue(shownValue(each)))],
    ...study.parameters.map(({ name }): [string, string[]] => [
      name,
      trials.map(each => formatScalar(each.params[name]))
    ]),
    [
      trans.__('Time'),
      trials.map(each => formatDuration(trialDuration(each, now)))
    ]
  ];
  return (
    <div className="eolab-Comparison">
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Trial')}</th>
            {trials.map(each => (
              <th scope="col" key={each.number}>
                {each.number}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(([name, values]) => (
            <tr key={name} data-differs={new Set(values).size > 1}>
              <th scope="row">{name}</th>
              {values.map((value, index) => (
                <td key={trials[index]?.number}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
