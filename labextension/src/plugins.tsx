import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CatalogModel } from './catalog/model';
import { FeaturesModel } from './features/model';
import { ModelsModel } from './models/model';
import { WorkspaceChanges } from './shared/changes';
import { Client } from './shared/client';
import { CommandIDs } from './shared/commandIds';
import { eoIcon } from './shared/icons';
import { makeSidebar, SIDEBAR_ID } from './shared/sidebar';
import { IEolab } from './shared/tokens';
import { VIEW_MIME, ViewRenderer, type ViewDrawer } from './shared/viewRenderer';
import { WorkspaceModel } from './shared/workspace';
import { addStudyCommands } from './studies/commands';
import { StudiesModel } from './studies/model';
import { saveOnce } from './studies/saveOnce';
import { StudyView } from './studies/StudyView';

/** The models behind all panels and views. */
const core: JupyterFrontEndPlugin<IEolab> = {
  id: 'eolab:core',
  description: 'Provides the models behind the Earth Observation panels.',
  autoStart: true,
  provides: IEolab,
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null
  ): IEolab => {
    const trans = (translator ?? nullTranslator).load('eolab');
    const client = new Client(app.serviceManager.serverSettings);
    const changes = new WorkspaceChanges(app.serviceManager.events);
    const eolab: IEolab = {
      client,
      workspace: new WorkspaceModel(client, changes),
      catalog: new CatalogModel(client, changes),
      features: new FeaturesModel(client, changes),
      studies: new StudiesModel(client, changes),
      models: new ModelsModel(client, changes),
      commands: app.commands,
      trans
    };
    addStudyCommands(eolab, app.commands);
    return eolab;
  }
};

/** The EO panel in the left sidebar, in JupyterLab and Notebook 7. */
const sidebar: JupyterFrontEndPlugin<void> = {
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
    app.shell.add(panel, 'left', { rank: 300, type: 'Earth Observation' });
    restorer?.add(panel, SIDEBAR_ID);
    const noArgs = { args: { type: 'object', properties: {} } };
    app.commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Show Earth Observation Panel'),
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

/** Live views in cells. */
const views: JupyterFrontEndPlugin<void> = {
  id: 'eolab:views',
  description: 'Draws live views of studies in cell outputs.',
  autoStart: true,
  requires: [IEolab, IRenderMimeRegistry],
  optional: [INotebookTracker],
  activate: (
    _: JupyterFrontEnd,
    eolab: IEolab,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null
  ): void => {
    const known = new Map<string, ViewDrawer>([
      ['study', name => <StudyView name={name} />]
    ]);
    rendermime.addFactory(
      {
        // Names only, drawn as text: nothing of a notebook that is not trusted is run.
        safe: true,
        mimeTypes: [VIEW_MIME],
        createRenderer: () =>
          new ViewRenderer({
            eolab,
            views: known,
            rendermime,
            onShown: renderer => saveOnce(notebooks, renderer)
          })
      },
      // Before text/html, which stands beside it for other front ends.
      0
    );
  }
};

export const plugins = [core, sidebar, views];
