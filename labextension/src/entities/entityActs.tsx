import {
  Dialog,
  InputDialog,
  Notification,
  ReactWidget,
  showDialog
} from '@jupyterlab/apputils';

import type { IEolab } from '../context/tokens';
import { ApiError } from '../server/apiError';
import type { ITidyRequest } from '../server/contract';
import { tellFailure } from '../ui/tellFailure';
import { DeleteBody } from './DeleteBody';
import { IEntitiesModel } from './entitiesToken';
import { kindWord } from './words';

/** How long the way back is offered beside what was done. */
const UNDO_MS = 12_000;

/** What the commands of an entity do once they are chosen. */
export interface IEntityActs {
  rename: Act;
  archive: Act;
  restore: Act;
  remove: Act;
}

type Act = (kind: string, id: string, entry: string) => Promise<void>;

/** Deleting, renaming, archiving and restoring, each with its question and its way back. */
export function entityActs(eolab: IEolab): IEntityActs {
  const { trans } = eolab;
  const entities = eolab.model(IEntitiesModel);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      tellFailure(ApiError.from(thrown), trans);
    }
  };
  /** What an entity is called: its title, else its id. */
  const called = (kind: string, id: string): string =>
    entities.state.data?.shown.find(
      each => each.kind === kind && each.id === id && each.title
    )?.title ?? id;
  const say = (text: string, undo: readonly ITidyRequest[]): void => {
    Notification.emit(text, 'success', {
      autoClose: UNDO_MS,
      actions: undo.length
        ? [
            {
              label: trans.__('Undo'),
              callback: () => {
                void attempt(async () => {
                  for (const request of undo) {
                    await entities.tidy(request);
                  }
                });
              }
            }
          ]
        : []
    });
  };

  const remove = async (kind: string, id: string): Promise<void> => {
    const about = await entities.about(kind, id);
    if (!about.commands.includes('delete')) {
      Notification.warning(
        trans.__('%1. It can be deleted once that has ended.', about.refusal),
        { autoClose: UNDO_MS }
      );
      return;
    }
    const days = entities.state.data?.days ?? 30;
    const name = called(kind, id);
    const answer = await showDialog({
      title: trans.__('Delete the %1 “%2”?', kindWord(kind, trans), name),
      body: ReactWidget.create(
        <DeleteBody about={about} days={days} trans={trans} />
      ),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (!answer.button.accept) {
      return;
    }
    const { entries } = await entities.tidy({
      command: 'delete',
      kind,
      id,
      cascade: about.broken.length > 0
    });
    const gone = [{ kind, id }, ...about.broken];
    say(
      trans.__('“%1” was deleted.', name),
      gone.map((each, index) => ({
        command: 'restore' as const,
        ...each,
        // Those that went with it come back by their own names.
        ...(index === 0 && entries[0] ? { entry: entries[0] } : {})
      }))
    );
  };

  const rename = async (kind: string, id: string): Promise<void> => {
    const before = called(kind, id);
    const answer = await InputDialog.getText({
      title: trans.__('Rename the %1 “%2”', kindWord(kind, trans), before),
      label: trans.__('Title (“%1” goes on opening it)', id),
      text: before,
      okLabel: trans.__('Rename')
    });
    const title = answer.value?.trim();
    if (!answer.button.accept || !title || title === before) {
      return;
    }
    await entities.tidy({ command: 'rename', kind, id, title });
    say(trans.__('“%1” is called “%2” now.', before, title), [
      { command: 'rename', kind, id, title: before }
    ]);
  };

  const archive = async (kind: string, id: string): Promise<void> => {
    await entities.tidy({ command: 'archive', kind, id });
    say(trans.__('“%1” was archived.', called(kind, id)), [
      { command: 'restore', kind, id }
    ]);
  };

  const restore = async (
    kind: string,
    id: string,
    entry: string
  ): Promise<void> => {
    await entities.tidy({
      command: 'restore',
      kind,
      id,
      ...(entry ? { entry } : {})
    });
    say(trans.__('“%1” was restored.', called(kind, id)), []);
  };

  const guarded =
    (act: Act): Act =>
    (kind, id, entry) =>
      attempt(() => act(kind, id, entry));
  return {
    rename: guarded(rename),
    archive: guarded(archive),
    restore: guarded(restore),
    remove: guarded(remove)
  };
}
