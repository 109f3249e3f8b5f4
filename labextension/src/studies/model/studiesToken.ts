import { Token } from '@lumino/coreutils';

import { useEolab } from '../../context/context';
import type { StudiesModel } from './studiesModel';

export type IStudiesModel = StudiesModel;

export const IStudiesModel = new Token<IStudiesModel>(
  'eolab:IStudiesModel',
  'Studies with their trials.'
);

/** The studies of the workspace. */
export function useStudies(): StudiesModel {
  return useEolab().model(IStudiesModel);
}
