import { useEffect, useRef, useState, type JSX, type RefObject } from 'react';

import { readPalette, useThemeCount, type IPalette } from '../ui/theme';
import { Tip, type ITip } from '../ui/Tip';

/** Draws on a canvas of this size in CSS pixels. */
export type Drawer = (
  context: CanvasRenderingContext2D,
  size: { width: number; height: number },
  palette: IPalette
) => void;

interface IProps {
  draw: Drawer;
  /** In CSS pixels; a function where it depends on the width. */
  height: number | ((width: number) => number);
  /** What the picture shows, for those who cannot see it. */
  label: string;
  /** What is said of the place under the pointer, in CSS pixels; null where there is nothing. */
  tip?: (x: number, y: number, width: number) => ITip | null;
  /** Where the pointer does something, in CSS pixels from the top left corner. */
  onPointer?: (event: PointerEvent, width: number) => void;
}

/** A canvas that fills its width, is sharp on any screen, follows the theme, and draws once a frame. */
export function Canvas(props: IProps): JSX.Element {
  const { draw, label, onPointer, tip } = props;
  const node = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const height =
    typeof props.height === 'number' ? props.height : props.height(width);
  const theme = useThemeCount();
  usePointer(node, onPointer);
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const shown = at && tip ? tip(at.x, at.y, width) : null;

  useEffect(() => {
    const parent = node.current?.parentElement;
    if (!parent) {
      return;
    }
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.floor(entry?.contentRect.width ?? 0))
    );
    observer.observe(parent);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const canvas = node.current;
    if (!canvas || !width) {
      return;
    }
    const frame = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const context = canvas.getContext('2d');
      if (context) {
        const palette = readPalette(canvas);
        context.scale(ratio, ratio);
        context.font = palette.font;
        draw(context, { width, height }, palette);
      }
    });
    return () => cancelAnimationFrame(frame);
  }, [draw, width, height, theme]);

  return (
    <div
      className="eolab-Canvas"
      role="img"
      aria-label={label}
      data-points={shown !== null}
      style={{ height }}
      onPointerMove={
        tip
          ? ({ nativeEvent }) =>
              setAt({ x: nativeEvent.offsetX, y: nativeEvent.offsetY })
          : undefined
      }
      onPointerLeave={() => setAt(null)}
    >
      <canvas ref={node} style={{ width, height }} />
      <Tip tip={shown} width={width} height={height} />
    </div>
  );
}

function usePointer(
  node: RefObject<HTMLCanvasElement>,
  onPointer: IProps['onPointer']
): void {
  useEffect(() => {
    const canvas = node.current;
    if (!canvas || !onPointer) {
      return;
    }
    const listen = (event: PointerEvent): void => {
      if (event.type === 'pointerdown') {
        canvas.setPointerCapture(event.pointerId);
      }
      onPointer(event, canvas.clientWidth);
    };
    const types = ['pointerdown', 'pointermove', 'pointerup'] as const;
    types.forEach(type => canvas.addEventListener(type, listen));
    return () =>
      types.forEach(type => canvas.removeEventListener(type, listen));
  }, [node, onPointer]);
}
