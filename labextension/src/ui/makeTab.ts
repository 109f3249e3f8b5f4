import { MainAreaWidget } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import type { IEolab } from '../context/tokens';
import { EolabWidget } from './EolabWidget';

/** What is drawn in a tab, and what is told of it. */
interface ITabOptions {
  id: string;
  label: string;
  caption: string;
  icon: LabIcon;
  /** Beside `eolab-Root`. */
  className: string;
  draw: () => JSX.Element;
}

/** A tab of the main area, which can be closed. */
export function makeTab(
  eolab: IEolab,
  options: ITabOptions
): MainAreaWidget<EolabWidget> {
  const content = new EolabWidget(eolab, options.draw);
  content.addClass(options.className);
  const tab = new MainAreaWidget({ content });
  tab.id = options.id;
  tab.title.label = options.label;
  tab.title.caption = options.caption;
  tab.title.icon = options.icon;
  tab.title.closable = true;
  return tab;
}
