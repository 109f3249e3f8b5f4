import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';

import type { Client } from '../server/client';
import type { WorkspaceModel } from './workspace';

/** What every panel and view of this extension shares. */
export interface IEolab {
  readonly client: Client;
  readonly workspace: WorkspaceModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;

  /** The model of a domain, by the token that the domain names. */
  model<T>(token: Token<T>): T;
}

export const IEolab = new Token<IEolab>(
  'eolab:IEolab',
  'The models behind the panels and views of Earth Observation work.'
);
