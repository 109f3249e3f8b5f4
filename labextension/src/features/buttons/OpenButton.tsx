import type { JSX } from 'react';

import { useEolab } from '../../context/context';
import { labelOf, type IVersioned } from '../../context/names';

interface IProps {
  command: string;
  which: IVersioned;
}

/** Opens a group or view in the main area. */
export function OpenButton({ command, which }: IProps): JSX.Element | null {
  const { commands, trans } = useEolab();
  const { name, version } = which;
  return commands.hasCommand(command) ? (
    <button
      className="eolab-Button"
      aria-label={trans.__('Open %1', labelOf(which))}
      onClick={() => void commands.execute(command, { name, version })}
    >
      {trans.__('Open')}
    </button>
  ) : null;
}
