import Feature from 'ol/Feature';
import type MapBrowserEvent from 'ol/MapBrowserEvent';
import OlMap from 'ol/Map';
import View from 'ol/View';
import { defaults as defaultControls, ScaleLine } from 'ol/control';
import { wrapX } from 'ol/coordinate';
import { getArea, getCenter, getWidth } from 'ol/extent';
import { Polygon } from 'ol/geom';
import { linearRingContainsXY } from 'ol/geom/flat/contains';
import { defaults as defaultInteractions } from 'ol/interaction';
import Draw, { createBox } from 'ol/interaction/Draw';
import type BaseLayer from 'ol/layer/Base';
import VectorLayer from 'ol/layer/Vector';
import VectorImageLayer from 'ol/layer/VectorImage';
import { get as getProjection, getTransform, transformExtent } from 'ol/proj';
import RenderFeature, { toGeometry } from 'ol/render/Feature';
import VectorSource from 'ol/source/Vector';
import { Style } from 'ol/style';

import type { BBox, FlatRing, IFoundItem } from '../../../server/contract';
import type { IPalette } from '../../../ui/theme';
import type { IBaseMap } from '../../model/baseMap';
import {
  clipped,
  drawable,
  drawableBox,
  isPolar,
  type Code
} from '../../model/earth';
import type { IArea } from '../../model/query';
import { keyOf, type Tool } from '../../model/searchModel';
import { land } from './land';
import { areaOfShape, areaOfView } from './mapAreas';
import {
  footprintStyle,
  landStyle,
  makeGraticule,
  markStyles
} from './mapStyles';

const DEGREES = 'EPSG:4326';

/** Pixels of an area that can be seen. */
const LEAST = 6;

/** What the map tells. */
export interface IMapEvents {
  onHover: (key: string | null) => void;
  onPick: (key: string | null, add: boolean) => void;
  onArea: (area: IArea) => void;
  /** All footprints have been drawn. */
  onDrawn: () => void;
}

/** OpenLayers: land, footprints, the area that is asked for, and what draws it. */
export class MapView {
  constructor(
    target: HTMLElement,
    private readonly _events: IMapEvents
  ) {
    this._map = new OlMap({
      target,
      controls: defaultControls({ attribution: false, rotate: false }).extend([
        new ScaleLine()
      ]),
      layers: [
        this._land,
        this._graticule,
        this._footprints,
        this._area,
        this._marks
      ],
      // The wheel and the first drag move it, wherever the focus is.
      interactions: defaultInteractions({ onFocusOnly: false }),
      view: makeView('EPSG:3857')
    });
    this._loadLand();
    this._map.on('pointermove', event => this._onMove(event));
    this._map.on('click', event => this._onClick(event));
    target.addEventListener('pointerleave', this._onLeave);
    this._map.on('rendercomplete', () => {
      if (this._undrawn) {
        this._undrawn = false;
        _events.onDrawn();
      }
    });
  }

  dispose(): void {
    this._map
      .getTargetElement()
      ?.removeEventListener('pointerleave', this._onLeave);
    this._map.setTarget(undefined);
    this._map.dispose();
  }

  /** Follow the theme. */
  paint(palette: IPalette): void {
    const { accent, grid } = palette;
    const { chosen, pointed, asked } = markStyles(palette);
    this._land.setStyle(landStyle(palette));
    this._accent = accent;
    this._footprints.setStyle(footprintStyle(accent, this._items.length));
    this._chosen = chosen;
    this._pointed = pointed;
    this._area.setStyle(asked);
    // The strokes of a graticule cannot be changed once it is made.
    this._map.removeLayer(this._graticule);
    this._graticule = makeGraticule(grid);
    const above = this._map.getLayers().getArray().indexOf(this._footprints);
    this._map.getLayers().insertAt(above, this._graticule);
    this.mark(this._hovered, this._selected);
  }

  /** Show these footprints. */
  setItems(items: readonly IFoundItem[]): void {
    // Ten thousand at a time: what is drawn is a light feature of fixed coordinates, and no more is
    // made on the way than these.
    const project = getTransform(DEGREES, this._code);
    const features: RenderFeature[] = [];
    this._features = new Map();
    for (const item of items) {
      const rings = drawable(item.rings, this._code);
      const [first] = rings;
      if (first) {
        const flat = rings.length === 1 ? first : rings.flat();
        let end = 0;
        const ends = rings.map(ring => (end += ring.length));
        const key = keyOf(item);
        const points = project?.(flat, undefined, 2) ?? flat;
        const feature = new RenderFeature('Polygon', points, ends, 2, {}, key);
        features.push(feature);
        this._features.set(key, feature);
      }
    }
    this._undrawn = items.length > 0;
    this._footprints.setStyle(footprintStyle(this._accent, items.length));
    this._footprints.setSource(new VectorSource({ features }));
    this._items = items;
  }

  /** Set off what is chosen and what the pointer is at. */
  mark(hovered: string | null, selected: ReadonlySet<string>): void {
    this._hovered = hovered;
    this._selected = selected;
    const marks: Feature[] = [];
    const add = (key: string, style: Style): void => {
      const drawn = this._features.get(key);
      if (drawn) {
        const feature = new Feature(toGeometry(drawn));
        feature.setStyle(style);
        marks.push(feature);
      }
    };
    selected.forEach(key => add(key, this._chosen));
    if (hovered !== null) {
      add(hovered, this._pointed);
    }
    const source = this._marks.getSource();
    source?.clear(true);
    source?.addFeatures(marks);
  }

  /** Show the area that is asked for. */
  setArea(area: IArea | null): void {
    this._asked = area;
    const source = this._area.getSource();
    source?.clear(true);
    const rings = drawable(
      area?.coordinates.map(ring => ring.flat()) ?? [],
      this._code
    );
    source?.addFeatures(rings.map(ring => this._shape(ring)));
  }

  /** Let the pointer draw. */
  setTool(tool: Tool): void {
    if (this._draw) {
      this._map.removeInteraction(this._draw);
      this._draw = null;
    }
    if (tool === 'none') {
      return;
    }
    const draw = new Draw({
      type: tool === 'box' ? 'Circle' : 'Polygon',
      ...(tool === 'box' ? { geometryFunction: createBox() } : {})
    });
    draw.on('drawend', event => {
      const shape = event.feature.getGeometry();
      if (shape instanceof Polygon) {
        this._events.onArea(areaOfShape(shape, this._code));
      }
    });
    this._map.addInteraction(draw);
    this._draw = draw;
  }

  /** What can be seen, as an area. */
  viewport(): IArea {
    const extent = this._map.getView().calculateExtent(this._map.getSize());
    return areaOfView(extent, this._code);
  }

  /** Go to a box in degrees; nothing where it is none. */
  fit(box: BBox | null): void {
    if (!box?.every(Number.isFinite)) {
      return;
    }
    const [west, south, east, north] = box;
    // A box over 180 degrees goes on beyond them.
    const inside = drawableBox(
      [west, south, east < west ? east + 360 : east, north],
      this._code
    );
    if (inside) {
      const extent = transformExtent(inside, DEGREES, this._code, 8);
      this._map
        .getView()
        .fit(extent, { padding: [30, 30, 30, 30], maxZoom: 14 });
    }
  }

  /** Go to a box in degrees where it is out of sight, or too small to be seen. */
  reveal(box: BBox): void {
    const [west = 0, south = 0, east = 0, north = 0] = transformExtent(
      box,
      DEGREES,
      this._code,
      8
    );
    const view = this._map.getView();
    const seen = view.calculateExtent(this._map.getSize());
    const earth = view.getProjection();
    // The same place on any of the worlds that a flat map shows.
    const turn = earth.canWrapX() ? getWidth(earth.getExtent()) : 0;
    const middle = wrapX(getCenter(seen), earth)[0] ?? 0;
    const half = getWidth(seen) / 2;
    const inSight = [-turn, 0, turn].some(
      by =>
        west + by < middle + half &&
        east + by > middle - half &&
        south < (seen[3] ?? 0) &&
        north > (seen[1] ?? 0)
    );
    const pixels =
      Math.max(east - west, north - south) / (view.getResolution() ?? 1);
    if (!inSight || pixels < LEAST) {
      this.fit(box);
    }
  }

  /** Draw the Earth another way. */
  async setProjection(code: Code): Promise<void> {
    this._wanted = code;
    if (isPolar(code)) {
      (await import('./polar')).addPolar();
    }
    if (code === this._code || code !== this._wanted) {
      return;
    }
    this._code = code;
    this._map.setView(makeView(code));
    this._map.getView().fit(getProjection(code)?.getExtent() ?? [0, 0, 1, 1]);
    this._loadLand();
    this.setItems(this._items);
    this.setArea(this._asked);
    this.mark(this._hovered, this._selected);
  }

  /** Draw a base map below everything; none for null. */
  async setBase(map: IBaseMap | null): Promise<void> {
    const layer = map
      ? await (await import('./baseLayer')).baseLayer(map)
      : null;
    if (this._base) {
      this._map.removeLayer(this._base);
    }
    this._base = layer;
    if (layer) {
      this._map.getLayers().insertAt(0, layer);
    }
    this._land.setVisible(!layer);
  }

  /** The widget's size may have changed. */
  resize(): void {
    this._map.updateSize();
  }

  private _loadLand(): void {
    // Around a pole there is no edge to stand on both sides of.
    const rings = clipped(land(!isPolar(this._code)), this._code);
    const features = rings.map(ring => this._shape(ring));
    this._land.setSource(new VectorSource({ features }));
  }

  /** A ring in degrees, as a feature of this map. */
  private _shape(ring: FlatRing): Feature {
    const shape = new Polygon(ring.slice(), 'XY', [ring.length]);
    return new Feature(shape.transform(DEGREES, this._code));
  }

  /** The smallest footprint at a place: a large one must not hide what lies on it. */
  private _at(coordinate: number[]): string | null {
    let best: string | null = null;
    let least = Infinity;
    // A map that shows the Earth more than once has its footprints once.
    const earth = this._map.getView().getProjection();
    const [x = 0, y = 0] = wrapX([...coordinate], earth);
    const near = this._footprints
      .getSource()
      ?.getFeaturesInExtent([x, y, x, y]);
    for (const feature of near ?? []) {
      const size = getArea(feature.getExtent());
      if (size < least && contains(feature, x, y)) {
        least = size;
        best = String(feature.getId());
      }
    }
    return best;
  }

  private _onMove(event: MapBrowserEvent): void {
    if (!event.dragging && !this._draw) {
      this._events.onHover(this._at(event.coordinate));
    }
  }

  private _onClick(event: MapBrowserEvent): void {
    if (!this._draw) {
      const { ctrlKey, metaKey, shiftKey } =
        event.originalEvent as PointerEvent;
      this._events.onPick(
        this._at(event.coordinate),
        ctrlKey || metaKey || shiftKey
      );
    }
  }

  private readonly _onLeave = (): void => this._events.onHover(null);

  private readonly _map: OlMap;
  private _base: BaseLayer | null = null;
  private readonly _land = new VectorImageLayer({ imageRatio: 1.5 });
  // As an image it moves with the map, and is drawn again when that rests.
  private readonly _footprints = new VectorImageLayer<
    VectorSource<RenderFeature>
  >({
    imageRatio: 1.3
  });
  private readonly _area = new VectorLayer({ source: new VectorSource() });
  private readonly _marks = new VectorLayer({ source: new VectorSource() });
  private _features = new Map<string, RenderFeature>();
  private _graticule = makeGraticule('#888');
  private _accent = '#888';
  private _chosen = new Style();
  private _pointed = new Style();
  private _draw: Draw | null = null;
  private _items: readonly IFoundItem[] = [];
  private _asked: IArea | null = null;
  private _hovered: string | null = null;
  private _selected: ReadonlySet<string> = new Set();
  private _code: Code = 'EPSG:3857';
  private _wanted: Code = 'EPSG:3857';
  private _undrawn = false;
}

/** Whether a place lies inside one of a footprint's rings. */
function contains(feature: RenderFeature, x: number, y: number): boolean {
  const flat = feature.getFlatCoordinates();
  let from = 0;
  for (const end of feature.getEnds() ?? []) {
    if (linearRingContainsXY(flat, from, end, 2, x, y)) {
      return true;
    }
    from = end;
  }
  return false;
}

function makeView(code: Code): View {
  return new View({
    projection: code,
    center: [0, 0],
    zoom: 1,
    maxZoom: 18,
    showFullExtent: true
  });
}
