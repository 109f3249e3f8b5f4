import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import { addFeatureCommands } from './commands/commands';
import { FeatureTabs } from './commands/featureTabs';

/** Feature groups and views in the main area, and making views. */
export const featuresPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:features',
  description: 'Opens feature groups and views in the main area.',
  autoStart: true,
  requires: [IEolab],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const tabs = new FeatureTabs(app, eolab, labShell ? 'main' : 'right');
    addFeatureCommands(eolab, app.commands, tabs);
    if (restorer) {
      tabs.restore(restorer);
    }
    for (const command of [
      CommandIDs.openFeatureGroup,
      CommandIDs.openFeatureView,
      CommandIDs.makeFeatureView,
      CommandIDs.insertFeatureCode
    ]) {
      palette?.addItem({
        command,
        category: eolab.trans.__('Earth Observation')
      });
    }
  }
};
