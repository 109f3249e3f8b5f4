import { Fragment, type JSX, type ReactNode } from 'react';

interface IProps {
  /** Names and what they hold; a null value leaves its line out. */
  items: readonly (readonly [name: string, value: ReactNode])[];
}

/** Names beside values. */
export function Facts({ items }: IProps): JSX.Element | null {
  const given = items.filter(
    ([, value]) => value !== null && value !== undefined && value !== ''
  );
  if (!given.length) {
    return null;
  }
  return (
    <dl className="eolab-Facts">
      {given.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
