import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { CommandIDs } from '../../context/commandIds';
import type { IEolab } from '../../context/tokens';
import { ApiError } from '../../server/apiError';
import type { IStudySummary, CommandRequest } from '../../server/contract';
import { failureText, failureTitle } from '../../ui/failureText';
import { studyIcon } from '../../ui/icons';
import { allows } from '../model/derive';
import { IStudiesModel } from '../model/studiesToken';
import { studyCode, type CodeKind } from '../text/studyCode';
import type { StudyTabs } from './studyTabs';

/**
 * Add the commands that open studies and act on them.
 *
 * Without a name (from the palette) each asks which study is meant.
 */
export function addStudyCommands(
  eolab: IEolab,
  commands: CommandRegistry,
  tabs: StudyTabs,
  notebooks: INotebookTracker | null
): IDisposable {
  const { trans } = eolab;
  const studies = eolab.model(IStudiesModel);
  const pick = async (
    fits: (study: IStudySummary) => boolean
  ): Promise<string | null> =>
    (await import('./pickStudy')).pickStudy(eolab, fits);
  const nameProperty = {
    type: 'string',
    description: trans.__('The name of the study; without it, one is asked for')
  };
  const trialProperty = {
    type: 'integer',
    description: trans.__('The number of the trial')
  };
  const named = {
    args: { type: 'object', properties: { name: nameProperty } }
  };
  const numbered = {
    args: {
      type: 'object',
      properties: { name: nameProperty, trial: trialProperty },
      required: ['name', 'trial']
    }
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      const error = ApiError.from(thrown);
      Notification.error(
        `${failureTitle(error, trans)} ${failureText(error, trans)}`
      );
    }
  };
  const act = (name: string, request: CommandRequest): Promise<void> =>
    attempt(async () => {
      await studies.study(name).command(request);
      studies.list.invalidate();
    });
  const all = new DisposableSet();

  all.add(
    commands.addCommand(CommandIDs.openStudy, {
      label: args =>
        args.name
          ? trans.__('Open study %1', nameOf(args))
          : trans.__('Open Study…'),
      caption: trans.__('Watch a study in the main area'),
      icon: studyIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: nameProperty,
            mode: {
              type: 'string',
              enum: [...MODES],
              description: trans.__(
                'Where a new tab opens, beside the active one'
              )
            }
          }
        }
      },
      execute: async args => {
        const name = nameOf(args) || (await pick(() => true));
        if (name) {
          await tabs.open(
            name,
            MODES.find(mode => mode === args.mode)
          );
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.compareStudies, {
      label: trans.__('Compare Studies'),
      caption: trans.__('Metrics and best values of several studies'),
      icon: studyIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => tabs.openComparison()
    })
  );
  all.add(
    commands.addCommand(CommandIDs.pauseStudy, {
      label: args =>
        args.name
          ? trans.__('Pause study %1', nameOf(args))
          : trans.__('Pause Study…'),
      caption: trans.__('Hand out no more trials; running ones end'),
      describedBy: named,
      execute: async args => {
        const name =
          nameOf(args) || (await pick(study => allows(study, 'pause')));
        if (name) {
          await act(name, { command: 'pause' });
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.resumeStudy, {
      label: args =>
        args.name
          ? trans.__('Resume study %1', nameOf(args))
          : trans.__('Resume Study…'),
      caption: trans.__('Go on with a paused, cancelled or interrupted study'),
      describedBy: named,
      execute: async args => {
        const name =
          nameOf(args) || (await pick(study => allows(study, 'resume')));
        if (name) {
          await act(name, { command: 'resume' });
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.cancelStudy, {
      label: args =>
        args.name
          ? trans.__('Cancel study %1', nameOf(args))
          : trans.__('Cancel Study…'),
      caption: trans.__('Stop running trials and end the study'),
      describedBy: named,
      execute: async args => {
        const name =
          nameOf(args) || (await pick(study => allows(study, 'cancel')));
        if (!name) {
          return;
        }
        const answer = await showDialog({
          title: trans.__('Cancel the study “%1”?', name),
          body: trans.__(
            'Running trials are stopped and their work is lost; finished trials are kept.'
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Go on') }),
            Dialog.warnButton({ label: trans.__('Cancel the study') })
          ]
        });
        if (answer.button.accept) {
          await act(name, { command: 'cancel' });
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.changeStudy, {
      label: trans.__('Change Trials and Workers of Study…'),
      describedBy: named,
      execute: async args => {
        const name = nameOf(args) || (await pick(() => true));
        if (!name) {
          return;
        }
        await studies.study(name).refresh();
        const study = studies.study(name).state.data;
        if (!study) {
          return;
        }
        const { ChangeStudyForm } = await import('./ChangeStudyForm');
        const answer = await showDialog({
          title: trans.__('Change “%1”', name),
          body: new ChangeStudyForm(study, trans),
          buttons: [
            Dialog.cancelButton(),
            Dialog.okButton({ label: trans.__('Change') })
          ]
        });
        const change = answer.button.accept ? answer.value : null;
        if (change && Object.keys(change).length) {
          await act(name, { command: 'set', ...change });
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.stopTrial, {
      label: args => trans.__('Stop trial %1', trialOf(args)),
      describedBy: numbered,
      execute: async args => {
        const answer = await showDialog({
          title: trans.__('Stop trial %1?', trialOf(args)),
          body: trans.__(
            'It ends here: its reports are kept, its value does not count. It can be tried again.'
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Go on') }),
            Dialog.warnButton({ label: trans.__('Stop the trial') })
          ]
        });
        if (answer.button.accept) {
          await act(nameOf(args), { command: 'stop', number: trialOf(args) });
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.retryTrial, {
      label: args => trans.__('Try trial %1 again', trialOf(args)),
      describedBy: numbered,
      execute: args =>
        act(nameOf(args), { command: 'retry', number: trialOf(args) })
    })
  );
  all.add(
    commands.addCommand(CommandIDs.openTensorBoard, {
      label: trans.__('Open TensorBoard of Study…'),
      caption: trans.__('Show what the trials wrote for TensorBoard'),
      describedBy: named,
      execute: async args => {
        const name = nameOf(args) || (await pick(() => true));
        if (name) {
          const { openTensorBoard } = await import('./tensorBoard');
          await attempt(() => openTensorBoard(eolab, name));
        }
      }
    })
  );
  all.add(
    commands.addCommand(CommandIDs.insertCode, {
      label: trans.__('Insert Code for Study…'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: nameProperty,
            what: {
              type: 'string',
              description: trans.__(
                'What the code does: attach, best, effects, refit or trials'
              )
            }
          }
        }
      },
      execute: async args => {
        const name = nameOf(args) || (await pick(() => true));
        if (name) {
          const { insertCode } = await import('../../context/insertCode');
          const code = studyCode(name, kindOf(args));
          const notebook = insertCode(code, notebooks, trans);
          if (notebook) {
            tabs.show(notebook.id);
          }
        }
      }
    })
  );
  return all;
}

const MODES = [
  'tab-after',
  'tab-before',
  'split-left',
  'split-right',
  'split-top',
  'split-bottom'
] as const;

function nameOf(args: ReadonlyPartialJSONObject): string {
  return typeof args.name === 'string' ? args.name : '';
}

function trialOf(args: ReadonlyPartialJSONObject): number {
  return typeof args.trial === 'number' ? args.trial : -1;
}

function kindOf(args: ReadonlyPartialJSONObject): CodeKind {
  const { what } = args;
  return what === 'best' ||
    what === 'effects' ||
    what === 'refit' ||
    what === 'trials'
    ? what
    : 'attach';
}
