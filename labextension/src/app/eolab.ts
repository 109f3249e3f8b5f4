import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Token } from '@lumino/coreutils';

import { CatalogModel } from '../catalog/model/catalogModel';
import { ICatalogModel } from '../catalog/model/catalogToken';
import type { IEolab } from '../context/tokens';
import { WorkspaceModel } from '../context/workspace';
import { FeaturesModel } from '../features/model/featuresModel';
import { IFeaturesModel } from '../features/model/featuresToken';
import { ModelsModel } from '../models/modelsModel';
import { IModelsModel } from '../models/modelsToken';
import { WorkspaceChanges } from '../server/changes';
import { Client } from '../server/client';
import { StudiesModel } from '../studies/model/studiesModel';
import { IStudiesModel } from '../studies/model/studiesToken';
import { EntitiesModel } from '../entities/entitiesModel';
import { IEntitiesModel } from '../entities/entitiesToken';

/** Where the server half is, what it tells, and what acts on it. */
export type Host = Pick<JupyterFrontEnd, 'commands'> & {
  readonly serviceManager: Pick<
    JupyterFrontEnd['serviceManager'],
    'serverSettings' | 'events'
  >;
};

/** What all panels and views share, and the models of all domains; it lives as long as the application. */
export class Eolab implements IEolab {
  constructor(
    { commands, serviceManager }: Host,
    readonly trans: TranslationBundle
  ) {
    const client = new Client(serviceManager.serverSettings);
    const changes = new WorkspaceChanges(serviceManager.events);
    this.client = client;
    this.commands = commands;
    this.workspace = new WorkspaceModel(client, changes);
    this.catalog = new CatalogModel(client, changes);
    this.features = new FeaturesModel(client, changes);
    this.studies = new StudiesModel(client, changes);
    this.models = new ModelsModel(client, changes);
    this.things = new EntitiesModel(client, changes);
    this._models = new Map<Token<unknown>, unknown>([
      [ICatalogModel, this.catalog],
      [IFeaturesModel, this.features],
      [IStudiesModel, this.studies],
      [IModelsModel, this.models],
      [IEntitiesModel, this.things]
    ]);
  }

  readonly client: Client;
  readonly commands: CommandRegistry;
  readonly workspace: WorkspaceModel;
  readonly catalog: CatalogModel;
  readonly features: FeaturesModel;
  readonly studies: StudiesModel;
  readonly models: ModelsModel;
  readonly things: EntitiesModel;

  model<T>(token: Token<T>): T {
    // A token stands beside the model of its own type only.
    return this._models.get(token) as T;
  }

  private readonly _models: ReadonlyMap<Token<unknown>, unknown>;
}
