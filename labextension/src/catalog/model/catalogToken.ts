import { Token } from '@lumino/coreutils';

import { useEolab } from '../../context/context';
import type { CatalogModel } from './catalogModel';

export type ICatalogModel = CatalogModel;

export const ICatalogModel = new Token<ICatalogModel>(
  'eolab:ICatalogModel',
  'Catalogues with their collections, items, searches and downloads.'
);

/** The catalogues of the workspace. */
export function useCatalog(): CatalogModel {
  return useEolab().model(ICatalogModel);
}
