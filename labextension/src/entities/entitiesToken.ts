import { Token } from '@lumino/coreutils';

import { useEolab, useResource } from '../context/context';
import type { IShown } from '../server/contract';
import type { EntitiesModel } from './entitiesModel';

export type IEntitiesModel = EntitiesModel;

export const IEntitiesModel = new Token<IEntitiesModel>(
  'eolab:IEntitiesModel',
  'Titles of entities, what is archived, and the bin.'
);

/** How an entity of this kind is shown: its title, and whether lists leave it out. */
export function useShown(kind: string): (id: string) => IShown {
  const { data } = useResource(useEolab().model(IEntitiesModel));
  return id =>
    data?.shown.find(each => each.kind === kind && each.id === id) ?? {
      kind,
      id,
      title: '',
      archived: false
    };
}
