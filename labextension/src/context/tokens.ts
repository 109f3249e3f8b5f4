import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { CommandRegistry } from '@lumino/commands';

import type { CatalogModel } from '../catalog/model/catalogModel';
import type { FeaturesModel } from '../features/model/featuresModel';
import type { ModelsModel } from '../models/modelsModel';
import type { Client } from '../server/client';
import type { StudiesModel } from '../studies/model/studiesModel';
import type { WorkspaceModel } from './workspace';

/** What every panel and view of this extension shares. */
export interface IEolab {
  readonly client: Client;
  readonly workspace: WorkspaceModel;
  readonly catalog: CatalogModel;
  readonly features: FeaturesModel;
  readonly studies: StudiesModel;
  readonly models: ModelsModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

export const IEolab = new Token<IEolab>(
  'eolab:IEolab',
  'The models behind the panels and views of Earth Observation work.'
);
