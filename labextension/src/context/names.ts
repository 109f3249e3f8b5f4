/** A feature group or view by name and version. */
export interface IVersioned {
  name: string;
  version: number;
}

/** `name/version`, as the library writes it. */
export function labelOf({ name, version }: IVersioned): string {
  return `${name}/${version}`;
}

/** What `name/version` names; null where it is no such text. */
export function parseLabel(label: string): IVersioned | null {
  const match = /^(.+)\/([1-9]\d*)$/.exec(label);
  return match?.[1] && match[2]
    ? { name: match[1], version: Number(match[2]) }
    : null;
}

/**
 * A time in microseconds as ISO 8601, to the microsecond: cut to milliseconds it would be before
 * the rows that came in then.
 */
export function isoOfMicroseconds(time: number): string {
  const head = new Date(Math.floor(time / 1000)).toISOString().slice(0, -1);
  return `${head}${String(time % 1000).padStart(3, '0')}Z`;
}
