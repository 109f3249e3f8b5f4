import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';

/** Cards in the launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:launcher',
  description: 'Adds cards for Earth Observation work to the launcher.',
  autoStart: true,
  requires: [IEolab],
  // Notebook 7 has no launcher.
  optional: [ILauncher],
  activate: (
    _: JupyterFrontEnd,
    eolab: IEolab,
    launcher: ILauncher | null
  ): void => {
    const category = eolab.trans.__('Earth Observation');
    [
      CommandIDs.openPanel,
      CommandIDs.searchScenes,
      CommandIDs.openStudy
    ].forEach((command, rank) =>
      launcher?.add({ command, category, rank, args: { isLauncher: true } })
    );
  }
};
