import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { lazy } from 'react';

import { IEolab } from '../context/tokens';
import { EolabWidget } from '../ui/EolabWidget';
import { IStudiesWatch } from './model/watchToken';

const RunningStudies = lazy(async () => ({
  default: (await import('./sidebar/RunningStudies')).RunningStudies
}));

/** How many studies run, in the status bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:studies-status',
  description: 'Shows in the status bar how many studies run.',
  autoStart: true,
  requires: [IEolab, IStudiesWatch],
  // Notebook 7 has no status bar.
  optional: [IStatusBar],
  activate: (
    _: JupyterFrontEnd,
    eolab: IEolab,
    watch: IStudiesWatch,
    statusBar: IStatusBar | null
  ): void => {
    if (!statusBar) {
      return;
    }
    const item = new EolabWidget(eolab, () => <RunningStudies />);
    item.addClass('eolab-StatusItem');
    statusBar.registerStatusItem('eolab:studies-status', {
      item,
      align: 'left',
      rank: 10,
      isActive: () => watch.active.length > 0,
      activeStateChanged: watch.changed
    });
  }
};
