import type {
  IFeatureGroup,
  IGroupDetails,
  Scalar
} from '../../server/contract';
import { formatScalar } from '../../ui/format';

/** The columns that are no key, time or place. */
export function featuresOf(
  group: IFeatureGroup & Partial<Pick<IGroupDetails, 'geometry'>>
): string[] {
  const own = new Set([
    ...group.primary_key,
    ...(group.event_time ? [group.event_time] : []),
    ...(group.geometry?.columns ?? [])
  ]);
  return group.columns
    .filter(column => !own.has(column.name) && column.type !== 'binary')
    .map(column => column.name);
}

/** A value of a row by its column's type; times come as seconds since the epoch. */
export function formatCell(value: Scalar, type: string): string {
  if (typeof value === 'number' && /^(timestamp|date)/.test(type)) {
    return new Date(value * 1000)
      .toISOString()
      .replace(/T00:00:00\.000Z$/, '')
      .replace(/:\d\d\.\d+Z$/, '')
      .replace('T', ' ');
  }
  // Geometries are long: their title holds them in full.
  return typeof value === 'string' && value.length > 60
    ? `${value.slice(0, 57)}…`
    : formatScalar(value);
}
