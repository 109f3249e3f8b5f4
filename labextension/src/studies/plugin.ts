import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { IEolab } from '../shared/tokens';
import { addStudyCommands } from './commands';

/** Acting on studies. */
export const studiesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:studies',
  description: 'Adds the commands that act on studies.',
  autoStart: true,
  requires: [IEolab],
  activate: (app: JupyterFrontEnd, eolab: IEolab): void => {
    addStudyCommands(eolab, app.commands);
  }
};
