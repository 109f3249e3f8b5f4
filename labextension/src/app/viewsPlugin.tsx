import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { lazy } from 'react';

import { IEolab } from '../context/tokens';
import { saveOnce } from './saveOnce';
import { VIEW_MIME, ViewRenderer, type ViewDrawer } from './ViewRenderer';

const StudyView = lazy(async () => ({
  default: (await import('../studies/tab/StudyView')).StudyView
}));

/** The views that cells give out, by their names there. */
const VIEWS: ReadonlyMap<string, ViewDrawer> = new Map([
  ['study', (name: string) => <StudyView name={name} />]
]);

/** Live views in cells. */
export const viewsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:views',
  description: 'Draws live views of the workspace in cell outputs.',
  autoStart: true,
  requires: [IEolab, IRenderMimeRegistry],
  optional: [INotebookTracker, ISettingRegistry],
  activate: (
    _: JupyterFrontEnd,
    eolab: IEolab,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null,
    registry: ISettingRegistry | null
  ): void => {
    const settings = registry?.load('eolab:studies').catch(() => null) ?? null;
    const onShown = async (renderer: ViewRenderer): Promise<void> => {
      if ((await settings)?.composite['saveNotebook'] !== false) {
        saveOnce(notebooks, renderer);
      }
    };
    rendermime.addFactory(
      {
        // Names only, drawn as text: nothing of a notebook that is not trusted is run.
        safe: true,
        mimeTypes: [VIEW_MIME],
        createRenderer: () =>
          new ViewRenderer({
            eolab,
            views: VIEWS,
            rendermime,
            onShown: renderer => void onShown(renderer)
          })
      },
      // Before text/html, which stands beside it for other front ends.
      0
    );
  }
};
