import { Clipboard, Notification } from '@jupyterlab/apputils';
import {
  NotebookActions,
  type INotebookTracker,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Put code into a new cell below the active one; without a notebook, into the clipboard.
 *
 * @returns The notebook that got it.
 */
export function insertCode(
  code: string,
  notebooks: INotebookTracker | null,
  trans: TranslationBundle
): NotebookPanel | null {
  const panel = notebooks?.currentWidget;
  if (!panel) {
    Clipboard.copyToSystem(code);
    Notification.info(
      trans.__('No notebook is open: the code is in the clipboard.'),
      { autoClose: 4000 }
    );
    return null;
  }
  const notebook = panel.content;
  NotebookActions.insertBelow(notebook);
  notebook.activeCell?.model.sharedModel.setSource(code);
  void NotebookActions.focusActiveCell(notebook);
  return panel;
}
