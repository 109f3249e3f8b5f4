import { Clipboard, Notification } from '@jupyterlab/apputils';
import {
  NotebookActions,
  type INotebookTracker,
  type Notebook,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Where a cell's metadata say who wrote it. */
const MARK = 'eolab';

interface IMark {
  /** Which view, of what. */
  origin: string;
  /** The text that it wrote. */
  code: string;
}

/**
 * Put code into a new cell below the active one; without a notebook, into the clipboard.
 *
 * With an origin, such as the id of a view, the cell is marked: the next code of the same origin
 * takes the place of the last while nobody has changed that, and else goes into a new cell.
 *
 * @returns The notebook that got it.
 */
export function insertCode(
  code: string,
  notebooks: INotebookTracker | null,
  trans: TranslationBundle,
  origin?: string
): NotebookPanel | null {
  const panel = notebooks?.currentWidget;
  if (!panel) {
    copyCode(
      code,
      trans.__('No notebook is open: the code is in the clipboard.')
    );
    return null;
  }
  const notebook = panel.content;
  const old = origin === undefined ? -1 : findOwn(notebook, origin);
  if (old >= 0) {
    notebook.activeCellIndex = old;
  } else {
    NotebookActions.insertBelow(notebook);
  }
  const cell = notebook.activeCell;
  if (cell) {
    cell.model.sharedModel.setSource(code);
    if (origin !== undefined) {
      const mark: IMark = { origin, code };
      cell.model.setMetadata(MARK, { ...mark });
    }
  }
  void NotebookActions.focusActiveCell(notebook);
  return panel;
}

/** Put code into the clipboard and say so. */
export function copyCode(code: string, said: string): void {
  Clipboard.copyToSystem(code);
  Notification.info(said, { autoClose: 4000 });
}

/** The last cell of this origin that nobody has changed; -1 where there is none. */
function findOwn(notebook: Notebook, origin: string): number {
  for (let index = notebook.widgets.length - 1; index >= 0; index -= 1) {
    const cell = notebook.widgets[index];
    const mark = cell?.model.getMetadata(MARK) as Partial<IMark> | undefined;
    if (cell && mark?.origin === origin) {
      // An older cell stays as it is: who changed the newest one works on with that.
      return mark.code === cell.model.sharedModel.getSource() ? index : -1;
    }
  }
  return -1;
}
