import { Token } from '@lumino/coreutils';

import type { StudiesWatch } from './studiesWatch';

export type IStudiesWatch = StudiesWatch;

export const IStudiesWatch = new Token<IStudiesWatch>(
  'eolab:IStudiesWatch',
  'Follows all studies of the workspace for the whole application.'
);
