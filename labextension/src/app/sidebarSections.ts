import { AccordionToolbar } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { AccordionPanel } from '@lumino/widgets';

/**
 * Sections one below the other whose shares of the height hold from the first time there is one.
 *
 * Lab brings the user's shares back before the sidebar has its height; the layout takes them as
 * shares of nothing and makes all sections equal.
 */
export class Sections extends AccordionPanel {
  constructor() {
    super({ layout: AccordionToolbar.createLayout({}) });
  }

  override setRelativeSizes(sizes: number[], update?: boolean): void {
    this._waiting = this._hasRoom() ? null : sizes;
    super.setRelativeSizes(sizes, update);
  }

  override processMessage(message: Message): void {
    super.processMessage(message);
    if (this._waiting && this._hasRoom()) {
      this.setRelativeSizes(this._waiting);
    }
  }

  /** Whether there is height for more than the titles. */
  private _hasRoom(): boolean {
    const titles = this.widgets.length * (this.titleSpace + this.spacing);
    return this.isVisible && this.node.clientHeight > titles;
  }

  private _waiting: number[] | null = null;
}
