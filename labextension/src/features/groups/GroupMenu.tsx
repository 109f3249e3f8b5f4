import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { IGroupCommit, IGroupDetails } from '../../server/contract';
import { CodeMenu } from '../buttons/CodeMenu';
import { featuresOf } from '../model/columns';

interface IProps {
  group: IGroupDetails;
  /** As of which commit it is read; null for the newest. */
  commit: IGroupCommit | null;
}

/** What can be done with a group. */
export function GroupMenu({ group, commit }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const { name, version } = group;
  const about = { kind: 'group', name, version };
  return (
    <>
      <button
        className="eolab-Button"
        onClick={() => void commands.execute(CommandIDs.makeFeatureView)}
      >
        {trans.__('New view')}
      </button>
      <CodeMenu
        entries={[
          [trans.__('Open'), { ...about, what: 'open' }],
          [
            commit
              ? trans.__('Read as of commit %1', commit.version)
              : trans.__('Read'),
            {
              ...about,
              what: 'read',
              ...(commit ? { asOf: commit.ingested } : {})
            }
          ],
          [
            trans.__('Make a view'),
            { ...about, what: 'view', features: featuresOf(group) }
          ]
        ]}
      />
    </>
  );
}
