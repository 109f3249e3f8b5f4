import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { lazy } from 'react';

import { CommandIDs } from '../shared/commandIds';
import { studyIcon } from '../shared/icons';
import type { IEolab } from '../shared/tokens';
import { EolabWidget } from '../shared/widget';

const StudyTab = lazy(async () => ({
  default: (await import('./StudyTab')).StudyTab
}));

/** The tabs of studies in the main area, which come back after a reload of the page. */
export class StudyTabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _eolab: IEolab,
    /** Where tabs open: the main area of Notebook 7 has room for its one document only. */
    private readonly _area: 'main' | 'right'
  ) {}

  /** Bring the tabs of the last time back. */
  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tracker, {
      command: CommandIDs.openStudy,
      args: widget => ({ name: nameOfTab(widget.id) }),
      name: widget => nameOfTab(widget.id)
    });
  }

  /** Open a study, or go to where it is open. */
  async open(name: string): Promise<void> {
    const tab =
      this._tracker.find(widget => nameOfTab(widget.id) === name) ??
      (await this._make(name));
    this._app.shell.activateById(tab.id);
  }

  private async _make(name: string): Promise<MainAreaWidget<EolabWidget>> {
    const tab = makeTab(this._eolab, name);
    tab.toggleClass('eolab-mod-side', this._area === 'right');
    await this._tracker.add(tab);
    this._app.shell.add(tab, this._area, {
      type: this._eolab.trans.__('Study')
    });
    return tab;
  }

  private readonly _tracker = new WidgetTracker<MainAreaWidget<EolabWidget>>({
    namespace: 'eolab-studies'
  });
}

const PREFIX = 'eolab-study-';

function makeTab(eolab: IEolab, name: string): MainAreaWidget<EolabWidget> {
  const content = new EolabWidget(eolab, () => <StudyTab name={name} />);
  content.addClass('eolab-StudyTab-root');
  const tab = new MainAreaWidget({ content });
  tab.id = PREFIX + name;
  tab.title.label = name;
  tab.title.caption = eolab.trans.__('Study %1', name);
  tab.title.icon = studyIcon;
  tab.title.closable = true;
  return tab;
}

function nameOfTab(id: string): string {
  return id.slice(PREFIX.length);
}
