import type { JSX } from 'react';

import { CommandIDs } from '../context/commandIds';
import { useEolab, useResource } from '../context/context';
import { fitOf } from '../context/workspace';
import { Failure } from '../ui/Failure';
import { Notice } from '../ui/Notice';
import { SimulatedBadge } from '../ui/SimulatedBadge';

/** Which workspace the panel shows; or why it can show none. */
export function SidebarHeader(): JSX.Element | null {
  const { commands, workspace, trans } = useEolab();
  const { data, error } = useResource(workspace);
  const retry = (): void => void workspace.refresh();
  switch (fitOf(data, error)) {
    case 'unknown':
      return null;
    case 'missing':
      return (
        <Notice
          tone="error"
          title={trans.__('The server half of eolab is not running.')}
          text={trans.__(
            'Install eolab in the environment of the Jupyter server, or switch it on there, and restart the server:'
          )}
          code="jupyter server extension enable eolab"
        >
          <button className="eolab-Button" onClick={retry}>
            {trans.__('Try again')}
          </button>
        </Notice>
      );
    case 'older':
      return (
        <Notice
          tone="error"
          title={trans.__(
            'The server half of eolab (%1) is older than this panel.',
            data?.version ?? ''
          )}
          text={trans.__(
            'Upgrade eolab where the Jupyter server runs, then restart the server.'
          )}
        />
      );
    case 'newer':
      return (
        <Notice
          tone="error"
          title={trans.__(
            'The server half of eolab (%1) is newer than this panel.',
            data?.version ?? ''
          )}
          text={trans.__('Reload the page.')}
        />
      );
    case 'unreachable':
      // With something on the screen, each section says by itself that it is old.
      return error && !data ? <Failure error={error} onRetry={retry} /> : null;
    case 'fits':
      return data ? (
        <div className="eolab-Workspace" title={data.workspace.path}>
          <span className="eolab-Workspace-label">{trans.__('Workspace')}</span>
          <span className="eolab-Name">{data.workspace.name}</span>
          {data.sample ? <SimulatedBadge /> : null}
          <button
            className="eolab-IconButton"
            title={trans.__('Refresh')}
            aria-label={trans.__('Refresh')}
            onClick={() => void commands.execute(CommandIDs.refresh)}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M17.700 6.300A8 8 0 1 0 19.700 14h-2.100a6 6 0 1 1-1.400-6.200L13 11h7V4z" />
            </svg>
          </button>
        </div>
      ) : null;
  }
}
