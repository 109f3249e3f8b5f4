import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { CatalogModel } from '../catalog/model';
import { FeaturesModel } from '../features/model';
import { ModelsModel } from '../models/model';
import { StudiesModel } from '../studies/model';
import { WorkspaceChanges } from './changes';
import { Client } from './client';
import type { IEolab } from './tokens';
import { WorkspaceModel } from './workspace';

/** Make what all panels and views share; it lives as long as the application. */
export function makeEolab(
  app: JupyterFrontEnd,
  trans: TranslationBundle
): IEolab {
  const client = new Client(app.serviceManager.serverSettings);
  const changes = new WorkspaceChanges(app.serviceManager.events);
  return {
    client,
    workspace: new WorkspaceModel(client, changes),
    catalog: new CatalogModel(client, changes),
    features: new FeaturesModel(client, changes),
    studies: new StudiesModel(client, changes),
    models: new ModelsModel(client, changes),
    commands: app.commands,
    trans
  };
}
