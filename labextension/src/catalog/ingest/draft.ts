import type { IIngestRequest, Json } from '../../server/contract';

/** The form as it is filled in. */
export interface IDraft {
  /** A folder or files, one a line. */
  paths: string;
  /** Name of the collection. */
  name: string;
  /** To which files the four below apply: a name or a pattern; empty for all. */
  only: string;
  /** Names of the bands, separated by commas. */
  bands: string;
  scale: string;
  offset: string;
  nodata: string;
  /** Of files that tell none. */
  time: string;
  /** Regular expression for the dates in paths; it counts before the usual spellings. */
  pattern: string;
}

export const EMPTY: IDraft = {
  paths: '',
  name: '',
  only: '',
  bands: '',
  scale: '',
  offset: '',
  nodata: '',
  time: '',
  pattern: ''
};

/** The paths of a draft. */
export function pathsOf(draft: IDraft): string[] {
  return draft.paths
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean);
}

/** A draft as the server takes it; what is not filled in is left out. */
export function requestOf(draft: IDraft): IIngestRequest {
  const only = draft.only.trim();
  const said = (value: Json): Json => (only ? { [only]: value } : value);
  const request: IIngestRequest = { paths: pathsOf(draft) };
  if (draft.name.trim()) {
    request.to = draft.name.trim();
  }
  const bands = draft.bands
    .split(',')
    .map(name => name.trim())
    .filter(Boolean);
  if (bands.length) {
    request.bands = said(bands);
  }
  for (const key of ['scale', 'offset', 'nodata'] as const) {
    const text = draft[key].trim();
    if (text) {
      // What is no number goes as it is: the server says what is wrong with it.
      const number = Number(text);
      request[key] = said(Number.isFinite(number) ? number : text);
    }
  }
  for (const key of ['time', 'pattern'] as const) {
    if (draft[key].trim()) {
      request[key] = draft[key].trim();
    }
  }
  return request;
}

/** A name for the collection of a folder: letters, digits and `_ . -`. */
export function nameOf(path: string): string {
  const last =
    path
      .replace(/[\\/]+$/, '')
      .split(/[\\/]/)
      .pop() ?? '';
  return last
    .replace(/\.[A-Za-z]{2,5}$/, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[-._]+$/g, '')
    .toLowerCase();
}
