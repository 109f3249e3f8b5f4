import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPreviewedBand, IPreviewedFile } from '../../server/contract';

/** A cell of the preview: what, who says so, and more in a tip. */
export interface IFact {
  text: string;
  from: string;
  more: string;
}

const NOTHING: IFact = { text: '', from: '', more: '' };

type Fact = 'scale' | 'offset' | 'nodata';

/** Where a date was found, in words. */
export function dateOrigin(
  from: IPreviewedFile['time_from'],
  trans: TranslationBundle
): string {
  const words: Record<string, string> = {
    given: trans.__('you'),
    name: trans.__('file name'),
    folder: trans.__('folder name'),
    tags: trans.__('file tags'),
    axis: trans.__('time axis'),
    default: trans.__('your default'),
    missing: ''
  };
  return words[from] ?? from;
}

/** The dates of a file: one, or from when to when. */
export function datesOf(file: IPreviewedFile, trans: TranslationBundle): IFact {
  const { start, end, steps, time_from } = file;
  if (start === null) {
    return file.bands.length
      ? { ...NOTHING, text: trans.__('missing') }
      : NOTHING;
  }
  const first = shortTime(start);
  const text =
    steps > 1 && end !== null
      ? trans.__('%1 to %2 (%3)', first, shortTime(end), steps)
      : first;
  return { text, from: dateOrigin(time_from, trans), more: '' };
}

/** `2021-05-17`, with the clock where there is one. */
function shortTime(time: string): string {
  const [day = '', clock = ''] = time.replace('Z', '').split('T');
  const short = clock.slice(0, 5);
  return short && !clock.startsWith('00:00:00') ? `${day} ${short}` : day;
}

/** A fact of all bands, or band by band where they differ. */
export function numbersOf(
  { bands }: IPreviewedFile,
  fact: Fact,
  trans: TranslationBundle
): IFact {
  const facts = bands.map(band => ({ band, ...factOf(band, fact, trans) }));
  const [first] = facts;
  if (!first) {
    return NOTHING;
  }
  const rules = [...new Set(facts.map(({ more }) => more))];
  const more = rules.filter(Boolean).join('\n');
  if (facts.every(f => f.text === first.text && f.from === first.from)) {
    return { text: first.text, from: first.from, more };
  }
  const text = facts
    .filter(f => f.text)
    .map(f => `${f.band.name} ${f.text}${f.from ? ` (${f.from})` : ''}`)
    .join(', ');
  return { text, from: '', more };
}

function factOf(
  band: IPreviewedBand,
  fact: Fact,
  trans: TranslationBundle
): IFact {
  const from = band[`${fact}_from`];
  if (from === 'none' || band[fact] === '') {
    return NOTHING;
  }
  const words: Record<string, string> = {
    user: trans.__('you'),
    file: trans.__('file'),
    rule: trans.__('product')
  };
  return {
    text: String(band[fact]),
    from: words[from] ?? from,
    more: from === 'rule' ? band.rule : ''
  };
}

/** The types of the bands, each once. */
export function typesOf({ bands }: IPreviewedFile): string {
  return [...new Set(bands.map(band => band.data_type))].join(', ');
}

/** The size of a pixel with its unit. */
export function pixelOf({ resolution, unit }: IPreviewedFile): string {
  if (resolution === null) {
    return '';
  }
  const size = Number(resolution.toPrecision(6));
  return unit === '°' ? `${size}°` : `${size} ${unit}`.trim();
}
