import type { ITranslator } from '@jupyterlab/translation';
import { PanelWithToolbar, SidePanel } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import { lazy, type JSX } from 'react';

import type { IEolab } from '../context/tokens';
import { EolabWidget } from '../ui/EolabWidget';
import { eoIcon } from '../ui/icons';
import { Section } from './Section';
import { SidebarHeader } from './SidebarHeader';
import { Sections } from './sidebarSections';

// Nothing of the panel's inside is needed before it is opened.
const CatalogPanel = lazy(async () => ({
  default: (await import('../catalog/CatalogPanel')).CatalogPanel
}));
const FeaturesPanel = lazy(async () => ({
  default: (await import('../features/FeaturesPanel')).FeaturesPanel
}));
const StudiesPanel = lazy(async () => ({
  default: (await import('../studies/sidebar/StudiesPanel')).StudiesPanel
}));
const ModelsPanel = lazy(async () => ({
  default: (await import('../models/ModelsPanel')).ModelsPanel
}));

export const SIDEBAR_ID = 'eolab-sidebar';

/** The EO panel: one section a room of the workspace, under the workspace's name. */
export function makeSidebar(eolab: IEolab, translator: ITranslator): SidePanel {
  const { trans } = eolab;
  const header = new Panel();
  header.addWidget(new EolabWidget(eolab, () => <SidebarHeader />));
  const content = new Sections();
  const sidebar = new SidePanel({ header, content, translator });
  sidebar.id = SIDEBAR_ID;
  sidebar.addClass('eolab-Sidebar');
  sidebar.title.icon = eoIcon;
  sidebar.title.caption = trans.__('Earth Observation');
  sidebar.node.setAttribute('role', 'region');
  sidebar.node.setAttribute('aria-label', trans.__('Earth Observation'));
  // Shares of the height, before somebody moves an edge: Lab keeps what was moved, and what was
  // closed, with the layout. Work begins in the catalogue, and its tree is the tallest.
  const sections: [string, string, number, () => JSX.Element][] = [
    ['catalog', trans.__('Catalogue'), 9, () => <CatalogPanel />],
    ['features', trans.__('Features'), 4, () => <FeaturesPanel />],
    ['studies', trans.__('Studies'), 4, () => <StudiesPanel />],
    ['models', trans.__('Models'), 3, () => <ModelsPanel />]
  ];
  for (const [id, label, , draw] of sections) {
    const panel = new PanelWithToolbar();
    panel.id = `${SIDEBAR_ID}-${id}`;
    panel.addClass('eolab-SectionPanel');
    panel.title.label = label;
    const inside = new EolabWidget(eolab, () => (
      <Section>{() => draw()}</Section>
    ));
    // It scrolls: with nothing inside to go to, the keys need a place to stand.
    inside.node.tabIndex = 0;
    panel.addWidget(inside);
    sidebar.addWidget(panel);
  }
  content.setRelativeSizes(sections.map(([, , share]) => share));
  return sidebar;
}
