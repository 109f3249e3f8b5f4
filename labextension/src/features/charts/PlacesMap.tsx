import { useCallback, useMemo, useRef, useState, type JSX } from 'react';

import { Canvas, type Drawer } from '../../charts/Canvas';
import { useResource, useTrans } from '../../context/context';
import type { IGroupDetails } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { formatCount } from '../../ui/format';
import { Stale } from '../../ui/Stale';
import { useFeatures } from '../model/featuresToken';
import { countPlaces } from './countPlaces';
import { drawPlaces, extentOf, HEIGHT, type IWindow } from './mapDrawing';

interface IProps {
  group: IGroupDetails;
}

const WHOLE: IWindow = { zoom: 1, x: 0, y: 0 };

/** Where a group's things are; dragged, zoomed, drawn without anything from the network. */
export function PlacesMap({ group }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const resource = features.places(group.name, group.version);
  const { data, error } = useResource(resource);
  const [view, setView] = useState(WHOLE);
  const grip = useRef<{ x: number; y: number } | null>(null);
  const extent = useMemo(() => (data ? extentOf(data) : null), [data]);
  const draw = useCallback<Drawer>(
    (context, size, palette) => {
      if (data && extent) {
        drawPlaces(context, size, palette, data, extent, view);
      }
    },
    [data, extent, view]
  );
  const onPointer = useCallback((event: PointerEvent, width: number): void => {
    if (event.type === 'pointerdown') {
      grip.current = { x: event.clientX, y: event.clientY };
    } else if (event.type === 'pointerup') {
      grip.current = null;
    } else if (grip.current) {
      const dx = (event.clientX - grip.current.x) / width;
      const dy = (event.clientY - grip.current.y) / width;
      grip.current = { x: event.clientX, y: event.clientY };
      setView(last => ({ ...last, x: last.x + dx, y: last.y + dy }));
    }
  }, []);
  if (!data) {
    return <Pending error={error} onRetry={() => void resource.refresh()} />;
  }
  const counted = countPlaces(data, trans);
  const zoom = (factor: number): void =>
    setView(({ zoom: z, x, y }) => ({
      zoom: Math.min(200, Math.max(1, z * factor)),
      x: x * factor,
      y: y * factor
    }));
  const move = (dx: number, dy: number): void =>
    setView(last => ({ ...last, x: last.x + dx, y: last.y + dy }));
  return (
    <div className="eolab-Map">
      <Stale error={error} />
      <div
        className="eolab-Map-bar"
        role="group"
        aria-label={trans.__('What the map shows')}
      >
        {(
          [
            ['+', trans.__('Zoom in'), () => zoom(1.6)],
            ['−', trans.__('Zoom out'), () => zoom(1 / 1.6)],
            ['←', trans.__('Go west'), () => move(0.2, 0)],
            ['→', trans.__('Go east'), () => move(-0.2, 0)],
            ['↑', trans.__('Go north'), () => move(0, 0.2)],
            ['↓', trans.__('Go south'), () => move(0, -0.2)]
          ] as const
        ).map(([sign, word, act]) => (
          <button
            key={word}
            className="eolab-Button"
            aria-label={word}
            title={word}
            onClick={act}
          >
            {sign}
          </button>
        ))}
        <button className="eolab-Button" onClick={() => setView(WHOLE)}>
          {trans.__('Show all')}
        </button>
        <span className="eolab-mod-quiet">
          {data.points.length < data.total
            ? trans.__(
                '%1, of which %2 are drawn, evenly selected',
                counted,
                formatCount(data.points.length)
              )
            : counted}
          {group.geometry ? ` · ${group.geometry.crs}` : ''}
        </span>
      </div>
      <Canvas
        draw={draw}
        height={HEIGHT}
        label={trans.__('Map of %1: %2', group.name, counted)}
        onPointer={onPointer}
      />
    </div>
  );
}
