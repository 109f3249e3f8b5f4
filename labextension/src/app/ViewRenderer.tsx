import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import type { JSX } from 'react';

import type { IEolab } from '../context/tokens';
import type { IViewOutput } from '../server/contract';
import { EolabWidget } from '../ui/EolabWidget';
import { Notice } from '../ui/Notice';
import { ViewOutput } from './ViewOutput';

/** What cells give out; it holds names only, the picture is drawn from the workspace. */
export const VIEW_MIME = 'application/vnd.eolab.view+json';

/** Draws the view of a name. */
export type ViewDrawer = (name: string) => JSX.Element;

/**
 * Draws cell outputs from the workspace: alive after a reload of the page and after the kernel died.
 *
 * Where it cannot be alive it says why, above the static picture that was saved beside it.
 */
export class ViewRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly _options: ViewRenderer.IOptions) {
    super();
    this.addClass('eolab-View');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { eolab, views, rendermime } = this._options;
    const { trans } = eolab;
    const output = readOutput(model.data[VIEW_MIME]);
    while (this.widgets.length) {
      this.widgets[0]?.dispose();
    }
    const draw = output ? views.get(output.view) : undefined;
    let saved: IRenderMime.IRenderer | null = null;
    if ('text/html' in model.data) {
      saved = rendermime.createRenderer('text/html');
      await saved.renderModel(model);
      saved.setHidden(Boolean(output && draw));
    }
    const onFallback = (shown: boolean): void => saved?.setHidden(!shown);
    this.addWidget(
      new EolabWidget(eolab, () =>
        output && draw ? (
          <ViewOutput output={output} onFallback={onFallback}>
            {() => draw(output.name)}
          </ViewOutput>
        ) : (
          <Notice
            title={trans.__('This version of eolab does not know this view.')}
            text={trans.__('Below is what was saved.')}
          />
        )
      )
    );
    if (saved) {
      this.addWidget(saved);
    }
    this._output = output;
    this._tell();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._tell();
  }

  private _tell(): void {
    if (this.isAttached && this._output) {
      this._options.onShown?.(this);
    }
  }

  private _output: IViewOutput | null = null;
}

export namespace ViewRenderer {
  export interface IOptions {
    eolab: IEolab;
    /** The views that are known, by their names in outputs. */
    views: ReadonlyMap<string, ViewDrawer>;
    /** Draws the static picture, sanitised as any HTML output. */
    rendermime: IRenderMimeRegistry;
    /** A view was put on the page. */
    onShown?: (renderer: ViewRenderer) => void;
  }
}

/** Read what a cell gave out; null where it is nothing that was ever written. */
export function readOutput(value: unknown): IViewOutput | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { format, view, name, workspace } = value as Record<string, unknown>;
  return typeof format === 'number' &&
    typeof view === 'string' &&
    typeof name === 'string' &&
    typeof workspace === 'string'
    ? { format, view, name, workspace }
    : null;
}
