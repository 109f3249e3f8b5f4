import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { ApiError } from '../shared/apiError';
import { CommandIDs } from '../shared/commandIds';
import type { StudyCommand } from '../shared/contract';
import { failureText, failureTitle } from '../shared/Failure';
import type { IEolab } from '../shared/tokens';

/** Add the commands that act on a study. */
export function addStudyCommands(
  eolab: IEolab,
  commands: CommandRegistry
): IDisposable {
  const { trans } = eolab;
  const describedBy = {
    args: {
      type: 'object',
      properties: {
        name: {
          type: 'string',
          description: trans.__('The name of the study')
        }
      },
      required: ['name']
    }
  };
  const act = async (name: string, command: StudyCommand): Promise<void> => {
    try {
      await eolab.studies.study(name).command(command);
      eolab.studies.list.invalidate();
    } catch (thrown) {
      const error = ApiError.from(thrown);
      Notification.error(
        `${failureTitle(error, trans)} ${failureText(error, trans)}`
      );
    }
  };
  const all = new DisposableSet();
  all.add(
    commands.addCommand(CommandIDs.pauseStudy, {
      label: args => trans.__('Pause study %1', nameOf(args)),
      caption: trans.__('Hand out no more trials; running ones end'),
      describedBy,
      execute: args => act(nameOf(args), 'pause')
    })
  );
  all.add(
    commands.addCommand(CommandIDs.resumeStudy, {
      label: args => trans.__('Resume study %1', nameOf(args)),
      caption: trans.__('Go on with a paused or interrupted study'),
      describedBy,
      execute: args => act(nameOf(args), 'resume')
    })
  );
  all.add(
    commands.addCommand(CommandIDs.cancelStudy, {
      label: args => trans.__('Cancel study %1', nameOf(args)),
      caption: trans.__('Stop running trials and end the study'),
      describedBy,
      execute: async args => {
        const name = nameOf(args);
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
          await act(name, 'cancel');
        }
      }
    })
  );
  return all;
}

function nameOf(args: { name?: unknown }): string {
  return typeof args.name === 'string' ? args.name : '';
}
