/** What the server half answers about models. */

import type { ILineageEdge } from './common';
import type { Params } from './studies';

export interface IModelVersion {
  version: number;
  aliases: string[];
  created: number;
  description?: string;
  flavour: string;
  study: string | null;
  params: Params;
  metrics: Record<string, number | null>;
  lineage: ILineageEdge[];
}

export interface IRegisteredModel {
  name: string;
  versions: IModelVersion[];
}

export interface IModels {
  models: IRegisteredModel[];
}
