import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import { addStudyCommands } from './commands/commands';
import { StudyTabs } from './commands/studyTabs';

/** Studies in the main area, and acting on them. */
export const studiesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:studies',
  description: 'Opens studies in the main area and acts on them.',
  autoStart: true,
  requires: [IEolab],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null
  ): void => {
    const tabs = new StudyTabs(app, eolab, labShell ? 'main' : 'right');
    addStudyCommands(eolab, app.commands, tabs, notebooks);
    if (restorer) {
      tabs.restore(restorer);
    }
    for (const command of [
      CommandIDs.openStudy,
      CommandIDs.compareStudies,
      CommandIDs.pauseStudy,
      CommandIDs.resumeStudy,
      CommandIDs.cancelStudy,
      CommandIDs.changeStudy,
      CommandIDs.openTensorBoard,
      CommandIDs.insertCode
    ]) {
      palette?.addItem({
        command,
        category: eolab.trans.__('Earth Observation')
      });
    }
  }
};
