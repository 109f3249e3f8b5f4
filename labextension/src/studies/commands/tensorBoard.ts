import { Notification } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';

import type { IEolab } from '../../context/tokens';
import { IStudiesModel } from '../model/studiesToken';

/** Hosts from which the server's own loopback can be reached. */
const HERE = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Show in a new browser tab what a study's trials wrote for TensorBoard. */
export async function openTensorBoard(
  eolab: IEolab,
  name: string
): Promise<void> {
  const { client, trans } = eolab;
  const studies = eolab.model(IStudiesModel);
  const { port, proxy } = await studies.study(name).tensorBoard();
  if (proxy) {
    open(URLExt.join(client.baseUrl, 'proxy', String(port), '/'));
  } else if (HERE.has(window.location.hostname)) {
    open(`http://localhost:${port}/`);
  } else {
    Notification.warning(
      trans.__(
        'TensorBoard listens on port %1 of the server, which cannot be reached from here. With jupyter-server-proxy it can.',
        port
      )
    );
  }
}

function open(url: string): void {
  window.open(url, '_blank', 'noopener');
}
