/** The front-end half of eolab. */
import { catalogPlugin } from './catalog/plugin';
import { codePlugin } from './app/codePlugin';
import { corePlugin } from './app/corePlugin';
import { launcherPlugin } from './app/launcherPlugin';
import { sidebarPlugin } from './app/sidebarPlugin';
import { viewsPlugin } from './app/viewsPlugin';
import { featuresPlugin } from './features/plugin';
import { studiesPlugin } from './studies/plugin';
import { runningPlugin } from './studies/runningPlugin';
import { statusPlugin } from './studies/statusPlugin';
import { watchPlugin } from './studies/watchPlugin';
import { entitiesPlugin } from './entities/plugin';

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
  entitiesPlugin,
  launcherPlugin
];
