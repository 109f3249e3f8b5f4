import { Token } from '@lumino/coreutils';

import { useEolab } from '../../context/context';
import type { FeaturesModel } from './featuresModel';

export type IFeaturesModel = FeaturesModel;

export const IFeaturesModel = new Token<IFeaturesModel>(
  'eolab:IFeaturesModel',
  'Feature groups and views, with their lineage.'
);

/** The feature groups and views of the workspace. */
export function useFeatures(): FeaturesModel {
  return useEolab().model(IFeaturesModel);
}
