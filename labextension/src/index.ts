/** The front-end half of eolab. */
import { plugins } from './plugins';

export default plugins;
