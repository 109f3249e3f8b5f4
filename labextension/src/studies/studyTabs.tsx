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
      args: widget =>
        widget.id === COMPARISON ? {} : { name: nameOfTab(widget.id) },
      name: widget => (widget.id === COMPARISON ? '' : nameOfTab(widget.id))
    });
  }

  /** Open a study, or go to where it is open. */
  async open(name: string): Promise<void> {
    const tab =
      this._tracker.find(widget => nameOfTab(widget.id) === name) ??
      (await this._make(name));
    this._app.shell.activateById(tab.id);
  }

  /** Open the comparison of studies, or go to where it is open. */
  async openComparison(): Promise<void> {
    const tab = this._tracker.find(widget => widget.id === COMPARISON);
    if (!tab) {
      await this._add(makeComparison(this._eolab));
    }
    this._app.shell.activateById(COMPARISON);
  }

  private async _make(name: string): Promise<MainAreaWidget<EolabWidget>> {
    const tab = makeTab(this._eolab, name);
    await this._add(tab);
    return tab;
  }

  private async _add(tab: MainAreaWidget<EolabWidget>): Promise<void> {
    tab.toggleClass('eolab-mod-side', this._area === 'right');
    await this._tracker.add(tab);
    this._app.shell.add(tab, this._area, {
      type: this._eolab.trans.__('Study')
    });
  }

  private readonly _tracker = new WidgetTracker<MainAreaWidget<EolabWidget>>({
    namespace: 'eolab-studies'
  });
}

const CompareTab = lazy(async () => ({
  default: (await import('./CompareTab')).CompareTab
}));

const PREFIX = 'eolab-study-';

const COMPARISON = 'eolab-comparison';

function makeComparison(eolab: IEolab): MainAreaWidget<EolabWidget> {
  const content = new EolabWidget(eolab, () => <CompareTab />);
  content.addClass('eolab-StudyTab-root');
  const tab = new MainAreaWidget({ content });
  tab.id = COMPARISON;
  tab.title.label = eolab.trans.__('Studies');
  tab.title.caption = eolab.trans.__('Studies compared');
  tab.title.icon = studyIcon;
  tab.title.closable = true;
  return tab;
}

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
