import { Token } from '@lumino/coreutils';

import { useEolab } from '../context/context';
import type { ModelsModel } from './modelsModel';

export type IModelsModel = ModelsModel;

export const IModelsModel = new Token<IModelsModel>(
  'eolab:IModelsModel',
  'Registered models with their versions.'
);

/** The registered models of the workspace. */
export function useModels(): ModelsModel {
  return useEolab().model(IModelsModel);
}
