import type { JSX, ReactNode } from 'react';

import { useEolab, useResource } from '../context/context';
import { fitOf } from '../context/workspace';

interface IProps {
  children: () => ReactNode;
}

/** The inside of a sidebar section: empty where the header already says why there is nothing. */
export function Section({ children }: IProps): JSX.Element {
  const { workspace } = useEolab();
  const { data, error } = useResource(workspace);
  const fit = fitOf(data, error);
  const shown = fit === 'fits' || (fit === 'unreachable' && data !== null);
  return <div className="eolab-Section">{shown ? children() : null}</div>;
}
