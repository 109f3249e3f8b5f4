import type { IGroupPlaces } from '../../server/contract';
import type { IPalette } from '../../ui/theme';

export const HEIGHT = 420;

/** What is seen: enlarged so much, moved by shares of the width. */
export interface IWindow {
  zoom: number;
  x: number;
  y: number;
}

/** West, south, east, north in degrees. */
export type Extent = [number, number, number, number];

/** The box around all places; null where there are none. */
export function extentOf(places: IGroupPlaces): Extent | null {
  const extent: Extent = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of [places.points, ...places.outlines]) {
    for (const [x, y] of ring) {
      extent[0] = Math.min(extent[0], x);
      extent[1] = Math.min(extent[1], y);
      extent[2] = Math.max(extent[2], x);
      extent[3] = Math.max(extent[3], y);
    }
  }
  return Number.isFinite(extent[0]) ? extent : null;
}

interface ISize {
  width: number;
  height: number;
}

/**
 * From degrees to pixels: equirectangular with the middle's own scale, whose error over the few
 * degrees of a group's things cannot be seen.
 */
export function projector(
  extent: Extent,
  { width, height }: ISize,
  { zoom, x, y }: IWindow
): {
  toPixel: (lon: number, lat: number) => [number, number];
  toDegree: (px: number, py: number) => [number, number];
} {
  const [west, south, east, north] = extent;
  const middle = [(west + east) / 2, (south + north) / 2] as const;
  const squeeze = Math.max(0.05, Math.cos((middle[1] * Math.PI) / 180));
  // A single place still has a neighbourhood to look at.
  const spanX = Math.max((east - west) * squeeze, 1e-3);
  const spanY = Math.max(north - south, 1e-3);
  const scale = zoom * Math.min((width - 80) / spanX, (height - 60) / spanY);
  return {
    toPixel: (lon, lat) => [
      width / 2 + (lon - middle[0]) * squeeze * scale + x * width,
      height / 2 - (lat - middle[1]) * scale + y * width
    ],
    toDegree: (px, py) => [
      middle[0] + (px - width / 2 - x * width) / (squeeze * scale),
      middle[1] - (py - height / 2 - y * width) / scale
    ]
  };
}

/** Places and a grid of degrees. */
export function drawPlaces(
  context: CanvasRenderingContext2D,
  size: ISize,
  palette: IPalette,
  places: IGroupPlaces,
  extent: Extent,
  view: IWindow
): void {
  const { toPixel, toDegree } = projector(extent, size, view);
  const [west, north] = toDegree(0, 0);
  const [east, south] = toDegree(size.width, size.height);
  const step = niceStep((east - west) / 5);
  context.strokeStyle = palette.grid;
  context.fillStyle = palette.quiet;
  context.lineWidth = 1;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  context.textBaseline = 'bottom';
  for (const lon of ticks(west, east, step)) {
    const [px] = toPixel(lon, 0);
    line(context, px, 0, px, size.height);
    context.fillText(`${lon.toFixed(digits)}°`, px + 3, size.height - 2);
  }
  for (const lat of ticks(south, north, step)) {
    const [, py] = toPixel(0, lat);
    line(context, 0, py, size.width, py);
    context.fillText(`${lat.toFixed(digits)}°`, 3, py - 2);
  }
  context.strokeStyle = palette.accent;
  context.fillStyle = palette.accent;
  if (places.outlines.length) {
    context.beginPath();
    for (const ring of places.outlines) {
      ring.forEach(([lon, lat], index) => {
        const [px, py] = toPixel(lon, lat);
        if (index) {
          context.lineTo(px, py);
        } else {
          context.moveTo(px, py);
        }
      });
      context.closePath();
    }
    context.globalAlpha = 0.35;
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
    return;
  }
  const radius = places.points.length > 1000 ? 1.5 : 3;
  context.globalAlpha = 0.8;
  for (const [lon, lat] of places.points) {
    const [px, py] = toPixel(lon, lat);
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

function line(
  context: CanvasRenderingContext2D,
  x0: number,
  y0: number,
  x1: number,
  y1: number
): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** 1, 2 or 5 times a power of ten, not below this. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const times = [1, 2, 5, 10].find(each => each * power >= least) ?? 10;
  return times * power;
}

function ticks(low: number, high: number, step: number): number[] {
  const out = [];
  for (let n = Math.ceil(low / step); n * step <= high; n++) {
    out.push(n * step);
  }
  return out;
}
