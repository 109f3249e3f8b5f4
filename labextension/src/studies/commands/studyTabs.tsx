import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker, type MainAreaWidget } from '@jupyterlab/apputils';
import type { DockLayout } from '@lumino/widgets';
import { lazy } from 'react';

import { CommandIDs } from '../../context/commandIds';
import type { IEolab } from '../../context/tokens';
import type { EolabWidget } from '../../ui/EolabWidget';
import { studyIcon } from '../../ui/icons';
import { makeTab } from '../../ui/makeTab';

const StudyTab = lazy(async () => ({
  default: (await import('../tab/StudyTab')).StudyTab
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
    void restorer.restore(this._comparison, {
      command: CommandIDs.compareStudies,
      name: widget => widget.id
    });
  }

  /** Open a study, or go to where it is open. */
  async open(name: string, mode?: DockLayout.InsertMode): Promise<void> {
    const tab =
      this._tracker.find(widget => nameOfTab(widget.id) === name) ??
      (await this._make(name, mode));
    this._app.shell.activateById(tab.id);
  }

  /** Bring any tab to the front. */
  show(id: string): void {
    this._app.shell.activateById(id);
  }

  /** Open the comparison of studies, or go to where it is open. */
  async openComparison(): Promise<void> {
    if (!this._comparison.size) {
      await this._add(makeComparison(this._eolab), this._comparison);
    }
    this._app.shell.activateById(COMPARISON);
  }

  private async _make(
    name: string,
    mode?: DockLayout.InsertMode
  ): Promise<MainAreaWidget<EolabWidget>> {
    const tab = makeStudy(this._eolab, name);
    await this._add(tab, this._tracker, mode);
    return tab;
  }

  private async _add(
    tab: MainAreaWidget<EolabWidget>,
    tracker: WidgetTracker<MainAreaWidget<EolabWidget>>,
    mode?: DockLayout.InsertMode
  ): Promise<void> {
    tab.toggleClass('eolab-mod-side', this._area === 'right');
    // An empty toolbar is a line across the tab.
    tab.toolbar.hide();
    await tracker.add(tab);
    this._app.shell.add(tab, this._area, {
      type: this._eolab.trans.__('Study'),
      ...(mode ? { mode } : {})
    });
  }

  private readonly _tracker = new WidgetTracker<MainAreaWidget<EolabWidget>>({
    namespace: 'eolab-studies'
  });
  private readonly _comparison = new WidgetTracker<MainAreaWidget<EolabWidget>>(
    { namespace: 'eolab-comparison' }
  );
}

const CompareTab = lazy(async () => ({
  default: (await import('../compare/CompareTab')).CompareTab
}));

const PREFIX = 'eolab-study-';

const COMPARISON = 'eolab-comparison';

function makeComparison(eolab: IEolab): MainAreaWidget<EolabWidget> {
  return makeTab(eolab, {
    id: COMPARISON,
    label: eolab.trans.__('Studies'),
    caption: eolab.trans.__('Studies compared'),
    icon: studyIcon,
    className: 'eolab-StudyTab-root',
    draw: () => <CompareTab />
  });
}

function makeStudy(eolab: IEolab, name: string): MainAreaWidget<EolabWidget> {
  return makeTab(eolab, {
    id: PREFIX + name,
    label: name,
    caption: eolab.trans.__('Study %1', name),
    icon: studyIcon,
    className: 'eolab-StudyTab-root',
    draw: () => <StudyTab name={name} />
  });
}

function nameOfTab(id: string): string {
  return id.slice(PREFIX.length);
}
