import { Token } from '@lumino/coreutils';

import { useEolab, useResource } from '../context/context';
import type { IShown } from '../server/contract';
import type { ThingsModel } from './thingsModel';

export type IThingsModel = ThingsModel;

export const IThingsModel = new Token<IThingsModel>(
  'eolab:IThingsModel',
  'Titles of things, what is archived, and the bin.'
);

/** How a thing of this kind is shown: its title, and whether lists leave it out. */
export function useShown(kind: string): (id: string) => IShown {
  const { data } = useResource(useEolab().model(IThingsModel));
  return id =>
    data?.shown.find(each => each.kind === kind && each.id === id) ?? {
      kind,
      id,
      title: '',
      archived: false
    };
}
