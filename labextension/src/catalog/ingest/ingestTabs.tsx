import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { MainAreaWidget } from '@jupyterlab/apputils';
import { lazy } from 'react';

import type { IEolab } from '../../context/tokens';
import type { EolabWidget } from '../../ui/EolabWidget';
import { eoIcon } from '../../ui/icons';
import { makeTab } from '../../ui/makeTab';
import { ICatalogModel } from '../model/catalogToken';

const IngestTab = lazy(async () => ({
  default: (await import('./IngestTab')).IngestTab
}));

const ID = 'eolab-ingest';

/** The tab that adds a user's own rasters. */
export class IngestTabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _eolab: IEolab,
    private readonly _area: 'main' | 'right'
  ) {}

  /** Open the tab, or go to it; with paths, look at these. */
  open(paths: readonly string[]): void {
    if (!this._tab || this._tab.isDisposed) {
      const { trans } = this._eolab;
      this._tab = makeTab(this._eolab, {
        id: ID,
        label: trans.__('Add Rasters'),
        caption: trans.__('Add your own rasters as a collection'),
        icon: eoIcon,
        className: 'eolab-Ingest-root',
        draw: () => <IngestTab />
      });
      this._app.shell.add(this._tab, this._area, {
        type: this._eolab.trans.__('Rasters')
      });
    }
    this._app.shell.activateById(ID);
    this._eolab.model(ICatalogModel).ingests.name(paths);
  }

  private _tab: MainAreaWidget<EolabWidget> | null = null;
}
