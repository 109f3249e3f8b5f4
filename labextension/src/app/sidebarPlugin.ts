import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ICatalogModel } from '../catalog/model/catalogToken';
import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import { IFeaturesModel } from '../features/model/featuresToken';
import { IModelsModel } from '../models/modelsToken';
import { IStudiesModel } from '../studies/model/studiesToken';
import { IEntitiesModel } from '../entities/entitiesToken';
import { eoIcon } from '../ui/icons';
import { makeSidebar, SIDEBAR_ID } from './sidebar';

/** Where it is kept that the panel opened by itself once. */
const SHOWN = 'eolab:panel-shown';

/** Open the panel the first time, where the server asks for it (`eolab lab`). */
async function openOnce(app: JupyterFrontEnd, state: IStateDB): Promise<void> {
  if (PageConfig.getOption('eolabOpenPanel') !== 'true') {
    return;
  }
  await app.restored;
  if ((await state.fetch(SHOWN)) === undefined) {
    app.shell.activateById(SIDEBAR_ID);
    await state.save(SHOWN, true);
  }
}

/** The EO panel in the left sidebar, in JupyterLab and Notebook 7. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:sidebar',
  description: 'Adds the Earth Observation panel to the left sidebar.',
  autoStart: true,
  requires: [IEolab],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    state: IStateDB | null
  ): void => {
    const { trans } = eolab;
    const panel = makeSidebar(eolab, translator ?? nullTranslator);
    app.shell.add(panel, 'left', {
      rank: 300,
      type: trans.__('Earth Observation')
    });
    restorer?.add(panel, SIDEBAR_ID);
    if (state) {
      void openOnce(app, state).catch((reason: unknown) => {
        console.warn('The EO panel did not open by itself:', reason);
      });
    }
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
        eolab.model(ICatalogModel).invalidate();
        eolab.model(IFeaturesModel).invalidate();
        eolab.model(IStudiesModel).invalidate();
        eolab.model(IModelsModel).invalidate();
        eolab.model(IEntitiesModel).invalidate();
      }
    });
    for (const command of [CommandIDs.openPanel, CommandIDs.refresh]) {
      palette?.addItem({ command, category: trans.__('Earth Observation') });
    }
  }
};
