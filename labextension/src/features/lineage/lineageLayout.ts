import type { ILineageGraph, ILineageNode } from '../../server/contract';

/** Where a node stands; several of a kind in one column may stand together as one. */
export interface IPlaced {
  id: string;
  kind: string;
  side: ILineageNode['side'];
  /** The nodes that stand here: one, or many that are told as a number. */
  nodes: ILineageNode[];
  column: number;
  row: number;
}

export interface ILayout {
  placed: IPlaced[];
  links: [from: IPlaced, to: IPlaced][];
  columns: number;
  rows: number;
}

/** So many of a kind in a column are shown one by one. */
const MANY = 5;

/**
 * Columns from what there was first to what came of it last, rows near what they are linked to.
 *
 * @param open - The heaps (by id) whose nodes are shown one by one.
 */
export function layOut(
  graph: ILineageGraph,
  open: ReadonlySet<string>
): ILayout {
  const columns = columnsOf(graph);
  const heaps = new Map<string, ILineageNode[]>();
  for (const node of graph.nodes) {
    const key = `${columns.get(node.id) ?? 0} ${node.kind} ${node.side}`;
    heaps.set(key, [...(heaps.get(key) ?? []), node]);
  }
  const placed: IPlaced[] = [];
  const byNode = new Map<string, IPlaced>();
  const filled: number[] = [];
  const place = (id: string, nodes: ILineageNode[]): void => {
    const [first] = nodes;
    if (!first) {
      return;
    }
    const column = columns.get(first.id) ?? 0;
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    const { kind, side } = first;
    const one = { id, kind, side, nodes, column, row };
    placed.push(one);
    nodes.forEach(node => byNode.set(node.id, one));
  };
  for (const [key, nodes] of heaps) {
    if (nodes.length > MANY && !open.has(key)) {
      place(key, nodes);
    } else {
      nodes.forEach(node => place(node.id, [node]));
    }
  }
  const links = new Map<string, [IPlaced, IPlaced]>();
  for (const [source, target] of withoutShortcuts(graph)) {
    const from = byNode.get(source);
    const to = byNode.get(target);
    if (from && to && from !== to) {
      links.set(`${from.id} ${to.id}`, [from, to]);
    }
  }
  const layout = {
    placed,
    links: [...links.values()],
    columns: filled.length,
    rows: Math.max(0, ...filled.map(count => count || 0))
  };
  straighten(layout);
  return layout;
}

/** Commits of one group stand in one column: a long history would be a long way to go. */
function clusterOf(id: string): string {
  return id.startsWith('commit:') ? id.replace(/@\d+$/, '') : id;
}

/** Links to draw: a model names its data beside its study, which names them too. */
function withoutShortcuts(graph: ILineageGraph): [string, string][] {
  const kinds = new Map(graph.nodes.map(node => [node.id, node.kind]));
  return graph.edges.filter(
    ([source, target]) =>
      kinds.get(target) !== 'model' ||
      kinds.get(source) === 'study' ||
      !graph.edges.some(
        ([from, to]) =>
          to === target &&
          kinds.get(from) === 'study' &&
          graph.edges.some(([a, b]) => a === source && b === from)
      )
  );
}

/** The longest way from something that was made of nothing. */
function columnsOf(graph: ILineageGraph): Map<string, number> {
  const sources = new Map<string, string[]>();
  for (const [source, target] of graph.edges) {
    const [from, to] = [clusterOf(source), clusterOf(target)];
    if (from !== to) {
      sources.set(to, [...(sources.get(to) ?? []), from]);
    }
  }
  const columns = new Map<string, number>();
  const depth = (id: string, above: ReadonlySet<string>): number => {
    const known = columns.get(id);
    if (known !== undefined) {
      return known;
    }
    // A damaged record may hold a circle.
    const deeper = new Set([...above, id]);
    const found = Math.max(
      0,
      ...(sources.get(id) ?? [])
        .filter(each => !deeper.has(each))
        .map(each => 1 + depth(each, deeper))
    );
    columns.set(id, found);
    return found;
  };
  return new Map(
    graph.nodes.map(node => [node.id, depth(clusterOf(node.id), new Set())])
  );
}

/** Put each column in the order of what its nodes are linked to on the left, so that fewer cross. */
function straighten(layout: ILayout): void {
  for (let column = 1; column < layout.columns; column++) {
    const mean = (one: IPlaced): number => {
      const rows = layout.links
        .filter(([from, to]) => to === one && from.column !== column)
        .map(([from]) => from.row);
      return rows.length
        ? rows.reduce((sum, row) => sum + row, 0) / rows.length
        : one.row;
    };
    layout.placed
      .filter(one => one.column === column)
      .map(one => [one, mean(one)] as const)
      .sort(([a, x], [b, y]) => x - y || a.row - b.row)
      .forEach(([one], row) => {
        one.row = row;
      });
  }
}
