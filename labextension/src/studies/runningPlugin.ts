import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  IRunningSessionManagers,
  type IRunningSessions
} from '@jupyterlab/running';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import type { IWorker } from '../server/contract';
import { studyIcon, workerIcon } from '../ui/icons';
import { doneTrials } from './model/derive';
import { IStudiesModel } from './model/studiesToken';
import { IStudiesWatch } from './model/watchToken';
import { studyStateWord, workerStateWord } from './text/words';

/** Studies beside kernels and terminals: what runs, open it, stop it. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'eolab:studies-running',
  description: 'Lists running studies beside kernels and terminals.',
  autoStart: true,
  requires: [IEolab, IStudiesWatch],
  // Notebook 7's notebook page has no running panel.
  optional: [IRunningSessionManagers],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    watch: IStudiesWatch,
    managers: IRunningSessionManagers | null
  ): void => {
    const { trans } = eolab;
    const workerRow = (
      name: string,
      { id, state, trial }: IWorker
    ): IRunningSessions.IRunningItem => ({
      label: () => id,
      detail: () =>
        trial === null
          ? workerStateWord(state, trans)
          : trans.__('trial %1', trial),
      labelTitle: () =>
        trans.__(
          'Worker %1 of %2: %3',
          id,
          name,
          workerStateWord(state, trans)
        ),
      icon: () => workerIcon,
      open: () => void app.commands.execute(CommandIDs.openStudy, { name }),
      ...(trial === null
        ? {}
        : {
            // A worker is not stopped but what it runs: it takes the next trial.
            shutdown: () =>
              void app.commands.execute(CommandIDs.stopTrial, { name, trial })
          })
    });
    managers?.add({
      name: trans.__('Studies'),
      running: () =>
        watch.active.map((study): IRunningSessions.IRunningItem => {
          const { name } = study;
          return {
            label: () => name,
            detail: () => `${doneTrials(study)}/${study.budget.trials}`,
            labelTitle: () =>
              trans.__(
                '%1: %2, %3 of %4 trials, %5 workers',
                name,
                studyStateWord(study.state, trans),
                doneTrials(study),
                study.budget.trials,
                study.workers_alive
              ),
            icon: () => studyIcon,
            open: () =>
              void app.commands.execute(CommandIDs.openStudy, { name }),
            shutdown: () =>
              void app.commands.execute(CommandIDs.cancelStudy, { name }),
            children: study.workers.map(worker => workerRow(name, worker))
          };
        }),
      // Lab has asked before it calls this.
      shutdownAll: () => {
        for (const { name } of watch.active) {
          void eolab
            .model(IStudiesModel)
            .study(name)
            .command({ command: 'cancel' })
            .catch((error: unknown) => console.warn('eolab:', error));
        }
      },
      refreshRunning: () => eolab.model(IStudiesModel).list.invalidate(),
      runningChanged: watch.changed,
      shutdownLabel: trans.__('Cancel'),
      shutdownAllLabel: trans.__('Cancel All'),
      shutdownAllConfirmationText: trans.__(
        'Cancel all running studies? Running trials are lost, finished ones are kept.'
      )
    });
  }
};
