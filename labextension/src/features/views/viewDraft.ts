import type { TranslationBundle } from '@jupyterlab/translation';

import { labelOf } from '../../context/names';
import type { IFeatureGroup, IViewRequest } from '../../server/contract';

/** A view that somebody is about to make. */
export interface IDraft {
  name: string;
  version: string;
  description: string;
  labelGroup: string;
  labelColumn: string;
  /** The ticked columns of each group, by `name/version`. */
  ticked: ReadonlyMap<string, ReadonlySet<string>>;
}

export const EMPTY: IDraft = {
  name: '',
  version: '1',
  description: '',
  labelGroup: '',
  labelColumn: '',
  ticked: new Map()
};

/** Why the view cannot be made yet; empty where it can. */
export function lacking(draft: IDraft, trans: TranslationBundle): string {
  if (!draft.labelGroup || !draft.labelColumn) {
    return trans.__('Choose what is to be predicted.');
  }
  if (!countTicked(draft)) {
    return trans.__('Tick one feature or more.');
  }
  if (!/^[A-Za-z0-9][\w.-]*$/.test(draft.name)) {
    return trans.__('Name the view: letters, digits, “_”, “.” and “-”.');
  }
  if (!/^[1-9]\d*$/.test(draft.version)) {
    return trans.__('Versions are 1, 2, 3, …');
  }
  return '';
}

/** How many features are ticked. */
export function countTicked(draft: IDraft): number {
  let count = 0;
  draft.ticked.forEach(columns => (count += columns.size));
  return count;
}

/** Tick or untick columns of a group. */
export function tick(
  draft: IDraft,
  group: string,
  columns: readonly string[],
  on: boolean
): IDraft {
  const own = new Set(draft.ticked.get(group));
  columns.forEach(column => (on ? own.add(column) : own.delete(column)));
  const ticked = new Map(draft.ticked);
  ticked.set(group, own);
  return { ...draft, ticked };
}

/** The form as the server takes it: a name that two groups share gets the group's before it. */
export function formOf(
  draft: IDraft,
  groups: readonly IFeatureGroup[]
): IViewRequest {
  const taken = new Set<string>();
  const features = groups.flatMap(group => {
    const label = labelOf(group);
    const own = draft.ticked.get(label) ?? new Set();
    const columns = group.columns
      .map(column => column.name)
      .filter(name => own.has(name));
    if (!columns.length) {
      return [];
    }
    const prefix = columns.some(name => taken.has(name))
      ? `${group.name}_`
      : '';
    columns.forEach(name => taken.add(prefix + name));
    return [{ group: label, columns, prefix }];
  });
  return {
    name: draft.name,
    version: Number(draft.version),
    description: draft.description,
    labels: { group: draft.labelGroup, column: draft.labelColumn },
    features
  };
}
