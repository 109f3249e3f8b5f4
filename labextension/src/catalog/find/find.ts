import type { TranslationBundle } from '@jupyterlab/translation';

import type { Query } from '../../server/client';
import { boxOf, datetimeOf, type IArea } from '../model/query';

/** What is asked of everything. */
export interface IWords {
  text: string;
  /** ISO days, both inclusive; empty for an open end. */
  start: string;
  end: string;
  /** Only in the area that the search tab asks for. */
  here: boolean;
}

export const NO_WORDS: IWords = { text: '', start: '', end: '', here: false };

/** One thing that was found. */
export interface IFoundEntity {
  id: string;
  title: string;
  /** How it is reached, by its kind. */
  detail: Readonly<Record<string, string | null>>;
  /** Seconds since the epoch; null for an open end, or none. */
  start: number | null;
  end: number | null;
}

/** What was found, by kind. */
export type Results = Readonly<Record<string, readonly IFoundEntity[]>>;

/** The request for what is asked; null while there are no words. */
export function findQuery(
  words: IWords,
  area: IArea | null,
  limit: number
): Query | null {
  const text = words.text.trim();
  if (!text) {
    return null;
  }
  return {
    text,
    datetime: datetimeOf(words),
    bbox: words.here && area ? boxOf(area).join(',') : null,
    limit
  };
}

/** The kinds that have results, in the order of the panel's own sections. */
export function kindsOf(
  results: Results,
  trans: TranslationBundle
): { kind: string; label: string; things: readonly IFoundEntity[] }[] {
  const labels: [string, string][] = [
    ['collection', trans.__('Collections')],
    ['item', trans.__('Scenes')],
    ['group', trans.__('Feature groups')],
    ['view', trans.__('Feature views')],
    ['chips', trans.__('Patches')],
    ['study', trans.__('Studies')],
    ['model', trans.__('Models')]
  ];
  return labels
    .map(([kind, label]) => ({ kind, label, things: results[kind] ?? [] }))
    .filter(({ things }) => things.length > 0);
}

/** Days of a thing: `2021-03-22 – 2022-09-11`, one day once, an open end open. */
export function daysOf({ start, end }: IFoundEntity): string {
  const [from, to] = [dayOf(start), dayOf(end)];
  return from === to ? from : `${from} – ${to}`;
}

/** The day of an instant; empty where there is none. */
export function dayOf(seconds: number | null): string {
  return seconds === null
    ? ''
    : new Date(seconds * 1000).toISOString().slice(0, 10);
}
