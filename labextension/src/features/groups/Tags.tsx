import type { JSX } from 'react';

import { useTrans } from '../../context/context';

interface IProps {
  tags: readonly string[];
}

/** The words by which something is found. */
export function Tags({ tags }: IProps): JSX.Element | null {
  const trans = useTrans();
  return tags.length ? (
    <ul className="eolab-Tags" aria-label={trans.__('Tags')}>
      {tags.map(tag => (
        <li className="eolab-Badge eolab-mod-tag" key={tag}>
          {tag}
        </li>
      ))}
    </ul>
  ) : null;
}
