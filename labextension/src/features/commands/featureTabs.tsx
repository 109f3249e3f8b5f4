import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker, type MainAreaWidget } from '@jupyterlab/apputils';
import { lazy, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { labelOf, parseLabel, type IVersioned } from '../../context/names';
import type { IEolab } from '../../context/tokens';
import type { EolabWidget } from '../../ui/EolabWidget';
import { featuresIcon } from '../../ui/icons';
import { makeTab } from '../../ui/makeTab';

const GroupTab = lazy(async () => ({
  default: (await import('../groups/GroupTab')).GroupTab
}));
const ViewTab = lazy(async () => ({
  default: (await import('../views/ViewTab')).ViewTab
}));
const ViewForm = lazy(async () => ({
  default: (await import('../views/ViewForm')).ViewForm
}));

/** What a tab shows. */
export type FeatureKind = 'group' | 'view';

type Tab = MainAreaWidget<EolabWidget>;

/** The tabs of groups and views in the main area, which come back after a reload of the page. */
export class FeatureTabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _eolab: IEolab,
    /** Where tabs open: the main area of Notebook 7 has room for its one document only. */
    private readonly _area: 'main' | 'right'
  ) {}

  /** Bring the tabs of the last time back. */
  restore(restorer: ILayoutRestorer): void {
    for (const kind of ['group', 'view'] as const) {
      void restorer.restore(this._trackers[kind], {
        command:
          kind === 'group'
            ? CommandIDs.openFeatureGroup
            : CommandIDs.openFeatureView,
        args: tab => ({ ...this._shown(kind, tab) }),
        name: tab => tab.id
      });
    }
    void restorer.restore(this._form, {
      command: CommandIDs.makeFeatureView,
      name: tab => tab.id
    });
  }

  /** Open a group or view, or go to where it is open. */
  async open(kind: FeatureKind, which: IVersioned): Promise<void> {
    const id = `${PREFIX[kind]}${labelOf(which)}`;
    if (!this._trackers[kind].find(tab => tab.id === id)) {
      const tab = this._make(
        id,
        kind === 'group' ? (
          <GroupTab name={which.name} version={which.version} />
        ) : (
          <ViewTab name={which.name} version={which.version} />
        ),
        this._title(kind, which)
      );
      await this._add(tab, this._trackers[kind]);
    }
    this._app.shell.activateById(id);
  }

  /** Open the form that makes a view, or go to where it is open. */
  async openForm(): Promise<void> {
    if (!this._form.size) {
      const { trans } = this._eolab;
      const tab = this._make(FORM, <ViewForm />, [
        trans.__('New view'),
        trans.__('A new feature view')
      ]);
      await this._add(tab, this._form);
    }
    this._app.shell.activateById(FORM);
  }

  private _title(kind: FeatureKind, which: IVersioned): [string, string] {
    const { trans } = this._eolab;
    const label = labelOf(which);
    return [
      label,
      kind === 'group'
        ? trans.__('Feature group %1', label)
        : trans.__('Feature view %1', label)
    ];
  }

  private _make(
    id: string,
    inside: JSX.Element,
    [label, caption]: [string, string]
  ): Tab {
    return makeTab(this._eolab, {
      id,
      label,
      caption,
      icon: featuresIcon,
      className: 'eolab-FeatureTab-root',
      draw: () => inside
    });
  }

  private async _add(tab: Tab, tracker: WidgetTracker<Tab>): Promise<void> {
    tab.toggleClass('eolab-mod-side', this._area === 'right');
    await tracker.add(tab);
    this._app.shell.add(tab, this._area, {
      type: this._eolab.trans.__('Features')
    });
  }

  private _shown(kind: FeatureKind, tab: Tab): Partial<IVersioned> {
    return parseLabel(tab.id.slice(PREFIX[kind].length)) ?? {};
  }

  private readonly _trackers = {
    group: new WidgetTracker<Tab>({ namespace: 'eolab-feature-groups' }),
    view: new WidgetTracker<Tab>({ namespace: 'eolab-feature-views' })
  };
  private readonly _form = new WidgetTracker<Tab>({
    namespace: 'eolab-feature-form'
  });
}

const PREFIX = {
  group: 'eolab-feature-group-',
  view: 'eolab-feature-view-'
} as const;

const FORM = 'eolab-feature-form';
