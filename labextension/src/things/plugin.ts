import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { IEolab } from '../context/tokens';
import { addThingCommands } from './commands';

/** Deleting, renaming, archiving and restoring. */
export const thingsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:things',
  description:
    'Deletes, renames, archives and restores what a workspace keeps.',
  autoStart: true,
  requires: [IEolab],
  activate: (app: JupyterFrontEnd, eolab: IEolab): void => {
    addThingCommands(eolab, app.commands);
  }
};
