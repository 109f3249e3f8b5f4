import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { CatalogModel } from '../catalog/model/catalogModel';
import type { IEolab } from '../context/tokens';
import { WorkspaceModel } from '../context/workspace';
import { FeaturesModel } from '../features/model/featuresModel';
import { ModelsModel } from '../models/modelsModel';
import { WorkspaceChanges } from '../server/changes';
import { Client } from '../server/client';
import { StudiesModel } from '../studies/model/studiesModel';

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
