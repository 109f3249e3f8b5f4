/** The front-end half of eolab. */
import { catalogPlugin } from './catalog/plugin';
import { codePlugin } from './shared/codePlugin';
import { featuresPlugin } from './features/plugin';
import { corePlugin } from './shared/corePlugin';
import { launcherPlugin } from './shared/launcherPlugin';
import { sidebarPlugin } from './shared/sidebarPlugin';
import { viewsPlugin } from './shared/viewsPlugin';
import { studiesPlugin } from './studies/plugin';
import { runningPlugin } from './studies/runningPlugin';
import { statusPlugin } from './studies/statusPlugin';
import { watchPlugin } from './studies/watchPlugin';

export default [
  corePlugin,
  codePlugin,
  sidebarPlugin,
  viewsPlugin,
  featuresPlugin,
  catalogPlugin,
  studiesPlugin,
  watchPlugin,
  statusPlugin,
  runningPlugin,
  launcherPlugin
];
