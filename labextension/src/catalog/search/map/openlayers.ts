import 'ol/ol.css';

/** The one place that imports OpenLayers, so that it stands in a chunk of its own. */
export { MapView } from './mapView';
