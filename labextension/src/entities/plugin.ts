import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import type { IEntityActs } from './entityActs';

/** Deleting, renaming, archiving and restoring. */
export const entitiesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:entities',
  description:
    'Deletes, renames, archives and restores what a workspace keeps.',
  autoStart: true,
  requires: [IEolab],
  activate: (app: JupyterFrontEnd, eolab: IEolab): void => {
    const { trans } = eolab;
    const describedBy = {
      args: {
        type: 'object',
        properties: {
          kind: {
            type: 'string',
            enum: ['study', 'group', 'view', 'dataset', 'model'],
            description: trans.__('What it is')
          },
          id: {
            type: 'string',
            description: trans.__('Its id, such as “forest” or “spectra/1”')
          }
        },
        required: ['kind', 'id']
      }
    };
    const add = (
      command: string,
      label: string,
      act: keyof IEntityActs
    ): void => {
      app.commands.addCommand(command, {
        label,
        describedBy,
        execute: async args => {
          const kind = textOf(args, 'kind');
          const id = textOf(args, 'id');
          if (kind && id) {
            // Questions and dialogs are not needed before the first one.
            const { entityActs } = await import('./entityActs');
            await entityActs(eolab)[act](kind, id, textOf(args, 'entry'));
          }
        }
      });
    };
    add(CommandIDs.renameEntity, trans.__('Rename…'), 'rename');
    add(CommandIDs.archiveEntity, trans.__('Archive'), 'archive');
    add(CommandIDs.restoreEntity, trans.__('Restore'), 'restore');
    add(CommandIDs.deleteEntity, trans.__('Delete…'), 'remove');
  }
};

function textOf(args: ReadonlyPartialJSONObject, key: string): string {
  const value = args[key];
  return typeof value === 'string' ? value : '';
}
