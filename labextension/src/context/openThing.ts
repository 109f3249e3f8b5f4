import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from './commandIds';
import { parseLabel } from './names';

/** A node of the lineage. */
export interface IThing {
  kind: string;
  id: string;
}

/** How a thing is opened in the main area; null where it has no tab. */
export function opener(
  { kind, id }: IThing,
  commands: CommandRegistry,
  trans: TranslationBundle
): { word: string; act: () => void } | null {
  // A commit is `name/version@number`, a training dataset `name/version#number`.
  const which = parseLabel(id.replace(/[@#]\d+$/, ''));
  const go = (command: string, args: { [key: string]: string | number }) => ({
    word: trans.__('Open'),
    act: () => void commands.execute(command, args)
  });
  if (
    which &&
    (kind === 'commit' || kind === 'group') &&
    commands.hasCommand(CommandIDs.openFeatureGroup)
  ) {
    return go(CommandIDs.openFeatureGroup, { ...which });
  }
  if (
    which &&
    (kind === 'view' || kind === 'dataset') &&
    commands.hasCommand(CommandIDs.openFeatureView)
  ) {
    return go(CommandIDs.openFeatureView, { ...which });
  }
  if (kind === 'study' && commands.hasCommand(CommandIDs.openStudy)) {
    return go(CommandIDs.openStudy, { name: id });
  }
  return null;
}
