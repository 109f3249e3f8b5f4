/** The front-end half of eolab. */
import { corePlugin } from './shared/corePlugin';
import { sidebarPlugin } from './shared/sidebarPlugin';
import { viewsPlugin } from './shared/viewsPlugin';
import { studiesPlugin } from './studies/plugin';

export default [corePlugin, sidebarPlugin, viewsPlugin, studiesPlugin];
