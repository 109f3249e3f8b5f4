import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { CommandIDs } from '../context/commandIds';
import type { IShown } from '../server/contract';

/** Show what can be done with an entity, at a place of the window. */
export function openEntityMenu(
  commands: CommandRegistry,
  { kind, id, archived }: IShown,
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  menu.addClass('eolab-EntityMenu');
  for (const command of [
    CommandIDs.renameEntity,
    archived ? CommandIDs.restoreEntity : CommandIDs.archiveEntity,
    CommandIDs.deleteEntity
  ]) {
    menu.addItem({ command, args: { kind, id } });
  }
  const before = document.activeElement;
  menu.aboutToClose.connect(() => {
    // Where the keyboard was; a dialog that is opened next comes back there, too.
    if (before instanceof HTMLElement && before.isConnected) {
      before.focus();
    }
    // Its command runs after it has closed.
    window.setTimeout(() => menu.dispose());
  });
  menu.open(x, y);
}
