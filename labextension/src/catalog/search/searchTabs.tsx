import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker, type MainAreaWidget } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { lazy } from 'react';

import { CommandIDs } from '../../context/commandIds';
import type { IEolab } from '../../context/tokens';
import type { EolabWidget } from '../../ui/EolabWidget';
import { eoIcon } from '../../ui/icons';
import { makeTab } from '../../ui/makeTab';
import { ICatalogModel } from '../model/catalogToken';
import { readCode } from '../model/earth';
import { EMPTY, readQuery } from '../model/query';
import type { IKept } from '../model/searchModel';

const SearchTab = lazy(async () => ({
  default: (await import('./SearchTab')).SearchTab
}));

const ID = 'eolab-search';

/** The tab that searches catalogues, which comes back after a reload with what it asked. */
export class SearchTabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _eolab: IEolab,
    private readonly _area: 'main' | 'right'
  ) {
    this._catalog = _eolab.model(ICatalogModel);
    this._catalog.search.keptChanged.connect(() =>
      this._tracker.forEach(tab => void this._tracker.save(tab))
    );
  }

  /** Bring the tab of the last time back. */
  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tracker, {
      command: CommandIDs.searchScenes,
      args: () =>
        keptOf(
          this._catalog.search.state
        ) as unknown as ReadonlyPartialJSONObject,
      name: widget => widget.id
    });
  }

  /** Open the tab, or go to it; with a query, ask that. */
  async open(args: ReadonlyPartialJSONObject): Promise<void> {
    const { search } = this._catalog;
    if (!this._tracker.size) {
      // Who opens it draws a field soon: libraries load while the page does.
      this._catalog.prepare();
      const tab = makeSearch(this._eolab);
      tab.toggleClass('eolab-mod-side', this._area === 'right');
      await this._tracker.add(tab);
      this._app.shell.add(tab, this._area, {
        type: this._eolab.trans.__('Scenes')
      });
    }
    this._app.shell.activateById(ID);
    if ('earth' in args) {
      search.look({
        earth: readCode(args.earth),
        base: typeof args.base === 'string' ? args.base : ''
      });
    }
    if (args.query) {
      const { item } = args;
      search.start(
        readQuery(args.query),
        typeof item === 'string' ? item : undefined
      );
    } else if (typeof args.catalog === 'string') {
      const collection =
        typeof args.collection === 'string' ? args.collection : '';
      search.start({ ...EMPTY, catalog: args.catalog, collection });
    } else if (!search.state.query.catalog) {
      await this._begin();
    }
  }

  /** What nobody has to wait or to pay for: the sample, if it is there. */
  private async _begin(): Promise<void> {
    const catalog = this._catalog;
    if (!catalog.catalogs.state.data) {
      await catalog.catalogs.refresh();
    }
    const sample = catalog.catalogs.state.data?.catalogs.find(
      source => source.simulated
    );
    if (sample && !catalog.search.state.query.catalog) {
      catalog.search.start({ ...EMPTY, catalog: sample.name });
    }
  }

  private readonly _catalog: ICatalogModel;
  private readonly _tracker = new WidgetTracker<MainAreaWidget<EolabWidget>>({
    namespace: 'eolab-search'
  });
}

/** The arguments that bring the tab back as it is. */
function keptOf({ query, opened, earth, base }: IKept): object {
  return { query, earth, base, ...(opened === null ? {} : { item: opened }) };
}

function makeSearch(eolab: IEolab): MainAreaWidget<EolabWidget> {
  return makeTab(eolab, {
    id: ID,
    label: eolab.trans.__('Scenes'),
    caption: eolab.trans.__('Search catalogues for scenes'),
    icon: eoIcon,
    className: 'eolab-SearchTab-root',
    draw: () => <SearchTab />
  });
}
