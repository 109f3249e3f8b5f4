import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Suspense, type JSX } from 'react';

import { EolabContext, VisibleContext } from '../context/context';
import type { IEolab } from '../context/tokens';
import { Boundary } from './Boundary';
import { Loading } from './Loading';

/** A Lumino widget around a tree of components, which knows whether it can be seen. */
export class EolabWidget extends ReactWidget {
  constructor(
    private readonly _eolab: IEolab,
    private readonly _draw: () => JSX.Element
  ) {
    super();
    this.addClass('eolab-Root');
  }

  protected override render(): JSX.Element {
    return (
      <EolabContext.Provider value={this._eolab}>
        <VisibleContext.Provider value={this._visible}>
          <Boundary trans={this._eolab.trans}>
            <Suspense fallback={<Loading />}>{this._draw()}</Suspense>
          </Boundary>
        </VisibleContext.Provider>
      </EolabContext.Provider>
    );
  }

  protected override onAfterAttach(message: Message): void {
    this._visible = this.isVisible;
    super.onAfterAttach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._setVisible(true);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._setVisible(false);
  }

  private _setVisible(visible: boolean): void {
    if (this._visible !== visible) {
      this._visible = visible;
      this.update();
    }
  }

  private _visible = false;
}
