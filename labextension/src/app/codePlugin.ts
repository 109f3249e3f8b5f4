import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';

/** Puts the code of any view into the notebook. */
export const codePlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:code',
  description: 'Puts the code that a view offers into the notebook.',
  autoStart: true,
  requires: [IEolab],
  optional: [INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    notebooks: INotebookTracker | null
  ): void => {
    const { trans } = eolab;
    app.commands.addCommand(CommandIDs.insertCell, {
      label: trans.__('Insert Code'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            code: { type: 'string', description: trans.__('Python') },
            origin: {
              type: 'string',
              description: trans.__(
                'Who writes it: its last cell is replaced while it is unchanged'
              )
            }
          },
          required: ['code']
        }
      },
      execute: async args => {
        const { code, origin } = args;
        if (typeof code !== 'string') {
          return;
        }
        const { insertCode } = await import('../context/insertCode');
        const notebook = insertCode(
          code,
          notebooks,
          trans,
          typeof origin === 'string' ? origin : undefined
        );
        if (notebook) {
          app.shell.activateById(notebook.id);
        }
      }
    });
  }
};
