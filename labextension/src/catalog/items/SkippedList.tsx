import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import type { ISkipped } from '../../server/contract';
import { Disclosure } from '../../ui/Disclosure';

interface IProps {
  skipped: readonly ISkipped[];
}

/** What was left out because it is broken, and why. */
export function SkippedList({ skipped }: IProps): JSX.Element | null {
  const trans = useTrans();
  if (!skipped.length) {
    return null;
  }
  return (
    <Disclosure
      level={3}
      label={
        <span className="eolab-Warning">
          {trans._n(
            '1 entry was skipped',
            '%1 entries were skipped',
            skipped.length
          )}
        </span>
      }
    >
      {() => (
        <ul className="eolab-Skipped">
          {skipped.map(({ href, message }) => (
            <li key={`${href} ${message}`} title={href}>
              <span className="eolab-Skipped-href">
                {href.split('/').slice(-1)[0] || href}
              </span>
              <span>{message}</span>
            </li>
          ))}
        </ul>
      )}
    </Disclosure>
  );
}
