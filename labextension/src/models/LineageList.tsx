import type { JSX } from 'react';

import { useEolab } from '../shared/context';
import { CommandIDs } from '../shared/commandIds';
import type { IModelVersion } from '../shared/contract';

interface IProps {
  version: IModelVersion;
}

/** What a model was made from, nearest first; a study opens in the main area. */
export function LineageList({ version }: IProps): JSX.Element | null {
  const { commands, trans } = useEolab();
  if (!version.lineage.length) {
    return null;
  }
  return (
    <>
      <h4 className="eolab-Heading">{trans.__('Lineage')}</h4>
      <ol className="eolab-Lineage">
        {version.lineage.map(({ kind, id }) => (
          <li key={`${kind} ${id}`}>
            <span className="eolab-Badge">{kind}</span>
            {kind === 'study' && commands.hasCommand(CommandIDs.openStudy) ? (
              <button
                className="eolab-Link"
                onClick={() =>
                  void commands.execute(CommandIDs.openStudy, { name: id })
                }
              >
                {id}
              </button>
            ) : (
              <span title={id}>{id}</span>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
