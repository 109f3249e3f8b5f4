import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from './commandIds';
import { eoIcon } from './icons';
import { makeSidebar, SIDEBAR_ID } from './sidebar';
import { IEolab } from './tokens';

/** The EO panel in the left sidebar, in JupyterLab and Notebook 7. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:sidebar',
  description: 'Adds the Earth Observation panel to the left sidebar.',
  autoStart: true,
  requires: [IEolab],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = eolab;
    const panel = makeSidebar(eolab, translator ?? nullTranslator);
    app.shell.add(panel, 'left', {
      rank: 300,
      type: trans.__('Earth Observation')
    });
    restorer?.add(panel, SIDEBAR_ID);
    const noArgs = { args: { type: 'object', properties: {} } };
    app.commands.addCommand(CommandIDs.openPanel, {
      label: args =>
        args['isLauncher']
          ? trans.__('EO Panel')
          : trans.__('Show Earth Observation Panel'),
      caption: trans.__('Catalogue, features, studies and models'),
      icon: eoIcon,
      describedBy: noArgs,
      execute: () => app.shell.activateById(SIDEBAR_ID)
    });
    app.commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Earth Observation Panel'),
      describedBy: noArgs,
      execute: async () => {
        await eolab.workspace.refresh();
        eolab.catalog.invalidate();
        eolab.features.invalidate();
        eolab.studies.invalidate();
        eolab.models.invalidate();
      }
    });
    for (const command of [CommandIDs.openPanel, CommandIDs.refresh]) {
      palette?.addItem({ command, category: trans.__('Earth Observation') });
    }
  }
};
