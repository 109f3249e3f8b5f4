import { useEffect, useRef, useState, type JSX } from 'react';
import type { AlignedData, Options, default as UPlot } from 'uplot';

import { readPalette, useThemeCount, type IPalette } from '../ui/theme';
import { Tip, type ITip } from '../ui/Tip';

/** What a chart draws; a new object draws it anew. */
export interface IDrawing {
  data: AlignedData;
  /** Everything but the size. */
  options: (
    palette: IPalette,
    library: typeof UPlot
  ) => Omit<Options, 'width' | 'height'>;
  /** Charts of one shape take new data without being built again. */
  shape: string;
}

interface IProps {
  drawing: IDrawing;
  /** What the chart shows, for those who cannot see it. */
  label: string;
  height: number;
  /** The series nearest to the pointer was clicked, nearest to its point `index`. */
  onPick?: (series: number, index: number) => void;
  /** What is said of the point nearest to the pointer. */
  tip?: (series: number, index: number) => Omit<ITip, 'x' | 'y'> | null;
}

/** The point nearest to the pointer, and where it is drawn. */
interface IPoint {
  series: number;
  index: number;
  x: number;
  y: number;
}

/** A uPlot chart, which fills its width and follows the theme; uPlot is loaded when first needed. */
export function Chart(props: IProps): JSX.Element {
  const { drawing, label, height, onPick, tip } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const shape = useRef('');
  const pick = useRef(onPick);
  const near = useRef<number | null>(null);
  const [point, setPoint] = useState<IPoint | null>(null);
  const focused = useRef<IPoint | null>(null);
  const told = point && tip ? tip(point.series, point.index) : null;
  const [library, setLibrary] = useState<typeof UPlot | null>(null);
  const [width, setWidth] = useState(0);
  const theme = useThemeCount();

  useEffect(() => {
    pick.current = onPick;
  }, [onPick]);

  useEffect(() => {
    let wanted = true;
    void import('./plot').then(module => {
      if (wanted) {
        setLibrary(() => module.UPlot);
      }
    });
    return () => {
      wanted = false;
    };
  }, []);

  useEffect(() => {
    const node = box.current;
    if (!node) {
      return;
    }
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.floor(entry?.contentRect.width ?? 0))
    );
    observer.observe(node);
    // With the keyboard, trials are chosen in their table.
    const onClick = (): void => {
      if (focused.current !== null) {
        pick.current?.(focused.current.series, focused.current.index);
      }
    };
    node.addEventListener('click', onClick);
    return () => {
      observer.disconnect();
      node.removeEventListener('click', onClick);
    };
  }, []);

  useEffect(() => {
    const node = box.current;
    if (!library || !node || width < 40) {
      return;
    }
    const key = `${drawing.shape} ${theme}`;
    if (plot.current && shape.current === key) {
      if (plot.current.width !== width || plot.current.height !== height) {
        plot.current.setSize({ width, height });
      }
      plot.current.setData(drawing.data);
      return;
    }
    plot.current?.destroy();
    const options = drawing.options(readPalette(node), library);
    plot.current = new library(
      {
        ...options,
        width,
        height,
        hooks: {
          ...options.hooks,
          // It comes after the nearest series was found.
          setCursor: [
            ...(options.hooks?.setCursor ?? []),
            chart => {
              const next = nearest(chart, near.current);
              const last = focused.current;
              if (
                next?.series !== last?.series ||
                next?.index !== last?.index
              ) {
                focused.current = next;
                setPoint(next);
              }
            }
          ],
          setSeries: [
            ...(options.hooks?.setSeries ?? []),
            (_, series) => {
              near.current = series;
            }
          ]
        }
      },
      drawing.data,
      node
    );
    shape.current = key;
  }, [library, drawing, width, height, theme]);

  useEffect(
    () => () => {
      plot.current?.destroy();
      plot.current = null;
    },
    []
  );

  return (
    <div
      className="eolab-Chart"
      ref={box}
      role="img"
      aria-label={label}
      data-points={told !== null}
      style={{ height }}
    >
      <Tip
        tip={told && point ? { ...told, x: point.x, y: point.y } : null}
        width={width}
        height={height}
      />
    </div>
  );
}

/** The point of the series in focus that is nearest to the pointer. */
function nearest(chart: UPlot, series: number | null): IPoint | null {
  const index = series === null ? null : chart.cursor.idxs?.[series];
  if (series === null || index === null || index === undefined) {
    return null;
  }
  const x = chart.data[0][index];
  const y = chart.data[series]?.[index];
  if (x === undefined || y === null || y === undefined) {
    return null;
  }
  return {
    series,
    index,
    x: chart.over.offsetLeft + chart.valToPos(x, 'x'),
    y: chart.over.offsetTop + chart.valToPos(y, 'y')
  };
}
