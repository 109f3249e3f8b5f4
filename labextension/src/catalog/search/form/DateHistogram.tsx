import { useCallback, useMemo, useRef, type JSX } from 'react';

import { Canvas, type Drawer } from '../../../charts/Canvas';
import { useTrans } from '../../../context/context';
import type { IItemHistogram } from '../../../server/contract';
import { barsOf, datesOf } from './histogram';

/** Pixels of a bar, where there is room for more. */
const WIDEST = 28;

interface IProps {
  histogram: IItemHistogram;
  start: string;
  end: string;
  onPick: (start: string, end: string) => void;
}

/** Items over time; a drag over bars asks for their dates. */
export function DateHistogram(props: IProps): JSX.Element {
  const { histogram, start, end, onPick } = props;
  const trans = useTrans();
  const bars = useMemo(() => barsOf(histogram), [histogram]);
  const origin = useRef<number | null>(null);
  const draw = useCallback<Drawer>(
    (context, { width, height }, palette) => {
      const most = Math.max(...bars.map(bar => bar.count), 1);
      context.clearRect(0, 0, width, height);
      for (const bar of bars) {
        const inside =
          (!start || bar.end >= start) && (!end || bar.start <= end);
        const tall = Math.max(2, (bar.count / most) * (height - 2));
        const room = (bar.to - bar.from) * width;
        // A single day is no wall.
        const wide = Math.min(WIDEST, Math.max(1.5, room - 1));
        const from = bar.from * width + Math.max(0, (room - 1 - wide) / 2);
        context.fillStyle = inside ? palette.accent : palette.grid;
        context.fillRect(from, height - tall, wide, tall);
      }
      context.fillStyle = palette.line;
      context.fillRect(0, height - 1, width, 1);
    },
    [bars, start, end]
  );
  const onPointer = useCallback(
    (event: PointerEvent, width: number) => {
      const at = event.offsetX / Math.max(width, 1);
      if (event.type === 'pointerdown') {
        origin.current = at;
      } else if (event.type === 'pointerup' && origin.current !== null) {
        const dates = datesOf(bars, origin.current, at);
        origin.current = null;
        if (dates) {
          onPick(...dates);
        }
      }
    },
    [bars, onPick]
  );
  const first = bars[0];
  const last = bars[bars.length - 1];
  const total = bars.reduce((sum, bar) => sum + bar.count, 0);
  return (
    <div className="eolab-SearchForm-histogram">
      <Canvas
        draw={draw}
        height={44}
        label={trans.__(
          '%1 items from %2 to %3, by %4',
          total,
          first?.start ?? '',
          last?.end ?? '',
          histogram.period
        )}
        onPointer={onPointer}
      />
      <div className="eolab-SearchForm-ends">
        <span>{first?.start}</span>
        <span>{histogram.whole ? null : trans.__('only what is shown')}</span>
        <span>{last?.end}</span>
      </div>
    </div>
  );
}
