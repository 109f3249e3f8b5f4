import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IGroupDetails, IValidation } from '../../server/contract';
import { formatCount, formatMoment, UNKNOWN } from '../../ui/format';

interface IProps {
  group: IGroupDetails;
}

/** How each insert met the expectations, refused ones too. */
export function ValidationTable({ group }: IProps): JSX.Element {
  const trans = useTrans();
  if (!Object.keys(group.expectations).length) {
    return (
      <p className="eolab-None">
        {trans.__(
          'No expectations: make the group with expectations={"in range": "ndvi BETWEEN -1 AND 1"}.'
        )}
      </p>
    );
  }
  return (
    <div
      className="eolab-Wide"
      role="region"
      aria-label={trans.__('Checks of inserts')}
      // What scrolls must be reachable with the keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <h3 className="eolab-Heading">{trans.__('Checks of inserts')}</h3>
      {group.validations.length ? (
        <table className="eolab-Grid">
          <thead>
            <tr>
              <th scope="col">{trans.__('Time')}</th>
              <th scope="col">{trans.__('Outcome')}</th>
              <th scope="col">{trans.__('Rows')}</th>
              <th scope="col">{trans.__('Broken expectations')}</th>
              <th scope="col">{trans.__('Commit')}</th>
            </tr>
          </thead>
          <tbody>
            {group.validations.map(each => (
              <tr key={each.time}>
                <td>{formatMoment(each.time)}</td>
                <td>
                  <span className="eolab-Outcome" data-outcome={each.outcome}>
                    {outcomeWord(each.outcome, trans)}
                  </span>
                </td>
                <td data-numeric>{formatCount(each.rows)}</td>
                <td>
                  {Object.entries(each.failed)
                    .map(([name, rows]) =>
                      trans._n(
                        '%2: 1 row',
                        '%2: %3 rows',
                        rows,
                        name,
                        formatCount(rows)
                      )
                    )
                    .join(' · ') || trans.__('none of %1', each.expectations)}
                </td>
                <td data-numeric>{each.commit ?? UNKNOWN}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="eolab-None">{trans.__('Nothing was checked yet.')}</p>
      )}
    </div>
  );
}

function outcomeWord(
  outcome: IValidation['outcome'],
  trans: TranslationBundle
): string {
  switch (outcome) {
    case 'met':
      return trans.__('met');
    case 'warned':
      return trans.__('inserted with a warning');
    case 'refused':
      return trans.__('refused');
  }
}
