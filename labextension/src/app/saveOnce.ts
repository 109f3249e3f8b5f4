import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';

/** Notebooks that were saved because a live view came up, by their path. */
const saved = new WeakSet();

/**
 * Save the notebook when its first live view comes up.
 *
 * Outputs of a running cell live only in the page until the notebook is saved: without this, a
 * reload of the page would leave an empty cell while the study runs on.
 */
export function saveOnce(
  notebooks: INotebookTracker | null,
  view: Widget
): void {
  const panel = notebooks?.find(candidate =>
    candidate.node.contains(view.node)
  );
  if (!panel || !panel.context.isReady || !panel.context.model.dirty) {
    return;
  }
  const output = view.node;
  if (saved.has(output)) {
    return;
  }
  saved.add(output);
  // The output is on the page before it is in the model's latest version: let it arrive.
  window.setTimeout(() => {
    if (!panel.isDisposed && panel.context.model.dirty) {
      void panel.context.save().catch((error: unknown) => {
        console.warn('eolab: the notebook could not be saved', error);
      });
    }
  }, 250);
}
