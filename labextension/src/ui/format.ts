import type { TranslationBundle } from '@jupyterlab/translation';

/** What stands where a number is not known. */
export const UNKNOWN = '–';

/** A measured value with four significant digits: `0.8312`, `1.2e-5`, `1,234`. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return UNKNOWN;
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value
      .toExponential(2)
      .replace('e+', 'e')
      .replace(/\.?0+e/, 'e');
  }
  if (Number.isInteger(value)) {
    return formatCount(value);
  }
  return String(Number(value.toPrecision(4)));
}

/** A value with its sign: `+0.123`. */
export function formatSigned(value: number): string {
  return `${value > 0 ? '+' : value < 0 ? '\u2212' : ''}${formatValue(Math.abs(value))}`;
}

/** A number of things, with thousands set off. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined
    ? UNKNOWN
    : count.toLocaleString('en-US');
}

/** Any scalar as a cell of a table. */
export function formatScalar(
  value: string | number | boolean | null | undefined
): string {
  if (value === null || value === undefined) {
    return UNKNOWN;
  }
  return typeof value === 'number' ? formatValue(value) : String(value);
}

/** Seconds as `4.2 s`, `1 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return UNKNOWN;
  }
  const whole = Math.max(0, seconds);
  if (whole < 10) {
    return `${whole.toFixed(1)} s`;
  }
  const total = Math.round(whole);
  if (total < 60) {
    return `${total} s`;
  }
  const minutes = Math.floor(total / 60);
  if (minutes < 60) {
    return `${minutes} min ${String(total % 60).padStart(2, '0')} s`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  }
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago something happened, in the coarsest unit that says it. */
export function formatAge(
  time: number,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = Math.max(0, now - time);
  if (seconds < 45) {
    return trans.__('just now');
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return trans.__('%1 min ago', minutes);
  }
  const hours = Math.round(minutes / 60);
  if (hours < 36) {
    return trans.__('%1 h ago', hours);
  }
  return trans._n('%1 day ago', '%1 days ago', Math.round(hours / 24));
}

/** The day of an ISO date-time; EO scenes are named by UTC days. */
export function formatDay(datetime: string | null | undefined): string {
  return datetime ? datetime.slice(0, 10) : UNKNOWN;
}

/** From and to as days; an open end is left open. */
export function formatInterval(
  interval: readonly [string | null, string | null]
): string {
  const [start, end] = interval;
  if (!start && !end) {
    return UNKNOWN;
  }
  return `${start ? formatDay(start) : '…'} – ${end ? formatDay(end) : '…'}`;
}

/** A moment in the reader's own time zone: `2026-11-22 18:54`. */
export function formatMoment(time: number): string {
  const date = new Date(time * 1000);
  const two = (part: number): string => String(part).padStart(2, '0');
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`
  );
}
