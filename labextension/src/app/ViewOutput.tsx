import type { JSX, ReactNode } from 'react';

import { useEolab, useResource } from '../context/context';
import { fitOf } from '../context/workspace';
import type { IViewOutput } from '../server/contract';
import { Loading } from '../ui/Loading';
import { Notice } from '../ui/Notice';
import { Fallback } from './Fallback';

interface IProps {
  output: IViewOutput;
  /** Draws the live view; called only where it can be drawn. */
  children: () => ReactNode;
  /** Told whether the static picture that was saved with the notebook is to be shown. */
  onFallback: (shown: boolean) => void;
}

/** The version of the outputs that this front end draws. */
const OUTPUT_FORMAT = 1;

/** A live view where the workspace is the one that the cell worked in, else why it is not live. */
export function ViewOutput(props: IProps): JSX.Element {
  const { output, children, onFallback } = props;
  const { workspace, trans } = useEolab();
  const { data, error } = useResource(workspace);
  const fit = fitOf(data, error);
  const told = (title: string, text: string): JSX.Element => {
    return (
      <Fallback onFallback={onFallback}>
        <Notice title={title} text={text} />
      </Fallback>
    );
  };
  if (output.format > OUTPUT_FORMAT) {
    return told(
      trans.__('This output was written by a newer eolab.'),
      trans.__('Upgrade eolab to see it live; below is what was saved.')
    );
  }
  // The connection was lost for a while: what was seen last stays better than nothing.
  if (data && data.workspace.id === output.workspace && fit === 'unreachable') {
    return <>{children()}</>;
  }
  switch (fit) {
    case 'unknown':
      return <Loading />;
    case 'missing':
      return told(
        trans.__('Not live: the server half of eolab is not running.'),
        trans.__(
          'Install eolab where the Jupyter server runs and restart it; below is what was saved.'
        )
      );
    case 'older':
    case 'newer':
      return told(
        trans.__('Not live: the two halves of eolab differ in version.'),
        trans.__(
          'Restart the Jupyter server and reload the page; below is what was saved.'
        )
      );
    case 'unreachable':
      return told(
        trans.__('Not live: the Jupyter server cannot be reached.'),
        trans.__('Below is what was saved.')
      );
    case 'fits':
      return data?.workspace.id === output.workspace ? (
        <>{children()}</>
      ) : (
        told(
          trans.__('Not live: this cell worked in another workspace.'),
          trans.__(
            'This server shows the workspace “%1”; below is what was saved.',
            data?.workspace.name ?? ''
          )
        )
      );
  }
}
