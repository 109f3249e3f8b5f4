import type { JSX } from 'react';

import { useEolab } from '../context/context';
import { opener, type IThing } from '../context/openThing';

interface IProps {
  thing: IThing;
  /** What is read; the id where it is absent. */
  children?: string;
}

/** A node of the lineage; a click opens it where it has a tab. */
export function EntityLink({ thing, children }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const open = opener(thing, commands, trans);
  const word = children ?? thing.id;
  return open ? (
    <button className="eolab-Link" onClick={open.act}>
      {word}
    </button>
  ) : (
    <span title={thing.id}>{word}</span>
  );
}
