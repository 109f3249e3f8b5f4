import 'uplot/dist/uPlot.min.css';

import UPlot from 'uplot';

/** The one place that imports uPlot, so that it stands in a chunk of its own. */
export { UPlot };
