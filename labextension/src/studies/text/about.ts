import type { Json } from '../../server/contract';

/** A part of a JSON value, or undefined where there is none. */
export function part(
  value: Json | undefined,
  ...path: string[]
): Json | undefined {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || Array.isArray(here)) {
      return undefined;
    }
    here = (here as { readonly [key: string]: Json | undefined })[key];
  }
  return here;
}

/** A JSON value in one line: `tpe, startup 10`. */
export function inWords(value: Json | undefined): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value !== 'object') {
    return String(value);
  }
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map(inWords).filter(Boolean).join(', ');
  }
  return Object.entries(value)
    .map(([key, each]) => {
      const words = inWords(each);
      return key === 'kind' || key === 'name' || !words
        ? words
        : `${key} ${words}`;
    })
    .filter(Boolean)
    .join(', ');
}

/** A function's source without the indentation that all its lines share. */
export function dedent(source: string): string {
  const lines = source.split('\n');
  const depths = lines
    .filter(line => line.trim())
    .map(line => line.length - line.trimStart().length);
  const depth = Math.min(...depths);
  return Number.isFinite(depth)
    ? lines.map(line => line.slice(depth)).join('\n')
    : source;
}
