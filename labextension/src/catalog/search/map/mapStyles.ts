import { asArray } from 'ol/color';
import Graticule from 'ol/layer/Graticule';
import { Fill, Stroke, Style } from 'ol/style';

import type { IPalette } from '../../../ui/theme';

/** Land without tiles. */
export function landStyle({ text, background }: IPalette): Style {
  // Not to be seen through: a map that shows the Earth more than once draws some land twice.
  return new Style({
    fill: new Fill({ color: mixed(text, background, 0.1) }),
    stroke: new Stroke({ color: mixed(text, background, 0.4), width: 0.7 })
  });
}

/** What is chosen, what the pointer is at, and the area that is asked for. */
export function markStyles({ accent, warn, text }: IPalette): {
  chosen: Style;
  pointed: Style;
  asked: Style;
} {
  return {
    chosen: new Style({
      stroke: new Stroke({ color: warn, width: 2.5 }),
      fill: new Fill({ color: alpha(warn, 0.18) }),
      zIndex: 1
    }),
    pointed: new Style({
      stroke: new Stroke({ color: text, width: 3 }),
      fill: new Fill({ color: alpha(accent, 0.2) }),
      zIndex: 2
    }),
    asked: new Style({
      stroke: new Stroke({ color: text, width: 2, lineDash: [6, 4] })
    })
  };
}

/** One style for all footprints, so that they are drawn in few strokes. */
export function footprintStyle(colour: string, count: number): Style {
  // Many dates lie on one another: they must not hide the map below.
  const share = Math.min(0.06, Math.max(0.012, 0.5 / Math.max(count, 1)));
  return new Style({
    stroke: new Stroke({ color: colour, width: 1.2 }),
    fill: new Fill({ color: alpha(colour, share) })
  });
}

/** Lines of equal longitude and latitude; their strokes cannot be changed once they are made. */
export function makeGraticule(line: string): Graticule {
  return new Graticule({
    strokeStyle: new Stroke({ color: line, width: 0.6 }),
    showLabels: false
  });
}

/** One colour of the theme laid over another. */
function mixed(over: string, under: string, share: number): number[] {
  const [low, high] = [asArray(under), asArray(over)];
  // Lab's text may be seen through itself.
  const part = share * (high[3] ?? 1);
  return [0, 1, 2].map(at =>
    Math.round((low[at] ?? 0) * (1 - part) + (high[at] ?? 0) * part)
  );
}

/** A colour of the theme, thinner. */
function alpha(colour: string, share: number): number[] {
  const [red = 0, green = 0, blue = 0] = asArray(colour);
  return [red, green, blue, share];
}
