import type { JSX, ReactNode } from 'react';

import { useEolab } from '../context/context';
import { openEntityMenu } from './entityMenu';
import { useShown } from './entitiesToken';

interface IProps {
  kind: string;
  id: string;
  children: ReactNode;
}

/** An entity in a list: the right mouse button shows what can be done with it. */
export function EntityItem({ kind, id, children }: IProps): JSX.Element {
  const { commands } = useEolab();
  const shown = useShown(kind)(id);
  return (
    // The same menu opens from the item's own button, which the keyboard reaches.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      data-kind={kind}
      data-id={id}
      onContextMenu={event => {
        if (event.shiftKey) {
          return; // the browser's own
        }
        event.preventDefault();
        event.stopPropagation();
        openEntityMenu(commands, shown, event.clientX, event.clientY);
      }}
    >
      {children}
    </li>
  );
}
