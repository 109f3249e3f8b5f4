import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRef } from '../server/contract';

/** What a kind of entity is called in a sentence. */
export function kindWord(kind: string, trans: TranslationBundle): string {
  switch (kind) {
    case 'study':
      return trans.__('study');
    case 'group':
      return trans.__('feature group');
    case 'view':
      return trans.__('feature view');
    case 'dataset':
      return trans.__('training dataset');
    case 'model':
      return trans.__('model');
    default:
      return kind;
  }
}

/** An entity in a list: its kind and its id. */
export function entityWords(
  { kind, id }: IRef,
  trans: TranslationBundle
): string {
  return `${kindWord(kind, trans)} ${id}`;
}
