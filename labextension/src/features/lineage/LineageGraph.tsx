import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useMemo, useRef, useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import type { IThing } from '../../context/openThing';
import type { ILineageGraph } from '../../server/contract';
import { layOut, type IPlaced } from './lineageLayout';

interface IProps {
  graph: ILineageGraph;
  label: string;
  onGo: (thing: IThing) => void;
}

const WIDTH = 150;
const GAP = 36;
const ROW = 46;
const BOX = 36;

const CLOSED: ReadonlySet<string> = new Set();

/** Things and what was made from them, from left to right. */
export function LineageGraph({ graph, label, onGo }: IProps): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(CLOSED);
  const layout = useMemo(() => layOut(graph, open), [graph, open]);
  const width = layout.columns * (WIDTH + GAP) - GAP;
  const height = layout.rows * ROW;
  const region = useRef<HTMLDivElement>(null);
  const shown = useRef<ILineageGraph | null>(null);
  // What a graph is about comes into sight, however far to the right it stands; once, so that
  // nothing jumps when a heap is opened.
  useEffect(() => {
    const own = layout.placed.find(one => one.side === 'self');
    if (own && region.current && shown.current !== graph) {
      shown.current = graph;
      const middle = own.column * (WIDTH + GAP) + WIDTH / 2;
      region.current.scrollLeft = middle - region.current.clientWidth / 2;
    }
  }, [graph, layout]);
  // By columns, so that the Tab key goes the way that things were made.
  const placed = [...layout.placed].sort(
    (a, b) => a.column - b.column || a.row - b.row
  );
  const top = (one: IPlaced): number => {
    const here = layout.placed.filter(each => each.column === one.column);
    return one.row * ROW + ((layout.rows - here.length) * ROW) / 2;
  };
  return (
    <div
      ref={region}
      className="eolab-Wide eolab-Graph-scroll"
      role="region"
      aria-label={label}
      // What scrolls must be reachable with the keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <div className="eolab-Graph" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {layout.links.map(([from, to]) => {
            if (from.column === to.column) {
              const x = from.column * (WIDTH + GAP) + 16;
              return (
                <path
                  key={`${from.id} ${to.id}`}
                  d={`M${x} ${top(from) + BOX / 2}V${top(to) + BOX / 2}`}
                />
              );
            }
            const x0 = from.column * (WIDTH + GAP) + WIDTH;
            const x1 = to.column * (WIDTH + GAP);
            const y0 = top(from) + BOX / 2;
            const y1 = top(to) + BOX / 2;
            const bend = Math.max(GAP / 2, (x1 - x0) / 2);
            return (
              <path
                key={`${from.id} ${to.id}`}
                d={`M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`}
              />
            );
          })}
        </svg>
        <ul>
          {placed.map(one => (
            <li
              key={one.id}
              style={{
                left: one.column * (WIDTH + GAP),
                top: top(one),
                width: WIDTH,
                height: BOX
              }}
            >
              <Node
                one={one}
                trans={trans}
                onGo={onGo}
                onOpen={() => setOpen(new Set([...open, one.id]))}
              />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Node(props: {
  one: IPlaced;
  trans: TranslationBundle;
  onGo: (thing: IThing) => void;
  onOpen: () => void;
}): JSX.Element | null {
  const { one, trans, onGo, onOpen } = props;
  const [first, ...others] = one.nodes;
  if (!first) {
    return null;
  }
  const heap = others.length > 0;
  return (
    <button
      className="eolab-Node"
      data-kind={one.kind}
      data-side={one.side}
      data-heap={heap}
      title={
        heap
          ? one.nodes.map(node => node.name).join('\n')
          : `${one.kind} ${first.name}`
      }
      onClick={heap ? onOpen : () => onGo({ kind: first.kind, id: first.name })}
    >
      <span className="eolab-Node-kind">{one.kind}</span>
      <span className="eolab-Node-name">
        {heap ? trans.__('%1 of them', one.nodes.length) : first.name}
      </span>
    </button>
  );
}
