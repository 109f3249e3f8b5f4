import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { isoOfMicroseconds, parseLabel } from '../../src/context/names';
import { outline, shapesOf } from '../../src/features/charts/density';
import { niceStep, projector } from '../../src/features/charts/mapDrawing';
import { groupCode, viewCode } from '../../src/features/commands/featureCode';
import { layOut } from '../../src/features/lineage/lineageLayout';
import { formatCell } from '../../src/features/model/columns';
import { findFeatures, tagsOf } from '../../src/features/model/findFeatures';
import {
  EMPTY,
  formOf,
  lacking,
  tick
} from '../../src/features/views/viewDraft';
import type {
  IFeatureGroup,
  IFeatures,
  IFeatureView,
  ILineageGraph,
  ILineageNode
} from '../../src/server/contract';

const trans = nullTranslator.load('eolab');

function group(name: string, columns: string[], tags: string[] = []) {
  return {
    name,
    version: 1,
    description: '',
    owner: '',
    tags,
    keywords: [],
    online: false,
    primary_key: ['id'],
    event_time: 'time',
    rows: 3,
    commits: 1,
    last_commit: null,
    columns: ['id', 'time', ...columns].map(column => ({
      name: column,
      type: 'double',
      unit: '',
      description: ''
    }))
  } satisfies IFeatureGroup;
}

function graph(edges: [string, string][]): ILineageGraph {
  const ids = [...new Set(edges.flat())];
  const nodes = ids.map((id): ILineageNode => {
    const [kind = '', name = ''] = id.split(/:(.*)/);
    return { id, kind, name, side: 'self' };
  });
  return { nodes, edges, left_out: 0 };
}

describe('names', () => {
  it('keep the microseconds by which commits are told apart', () => {
    expect(isoOfMicroseconds(1_714_521_600_123_456)).toBe(
      '2024-05-01T00:00:00.123456Z'
    );
    expect(isoOfMicroseconds(1_714_521_600_000_007)).toBe(
      '2024-05-01T00:00:00.000007Z'
    );
  });

  it('are read back from name and version', () => {
    expect(parseLabel('a.b-c/12')).toEqual({ name: 'a.b-c', version: 12 });
    expect(parseLabel('a/0')).toBeNull();
    expect(parseLabel('a')).toBeNull();
  });

  it('are quoted in code', () => {
    expect(groupCode({ name: 'a"b', version: 2 }, 'read')).toContain(
      'ws.features.feature_group("a\\"b", 2)'
    );
    expect(
      groupCode({ name: 'a', version: 1 }, 'read', [], 1_714_521_600_000_007)
    ).toContain('group.read(as_of="2024-05-01T00:00:00.000007Z")');
    expect(viewCode({ name: 'v', version: 3 }, 'split')).toContain(
      'view.create_training_dataset(split)'
    );
  });
});

describe('cells', () => {
  it('tell times by their day where it is midnight', () => {
    expect(formatCell(1_714_521_600, 'timestamp[us, tz=UTC]')).toBe(
      '2024-05-01'
    );
    expect(formatCell(1_714_525_200, 'timestamp[us, tz=UTC]')).toBe(
      '2024-05-01 01:00'
    );
    expect(formatCell(0.123456, 'double')).toBe('0.1235');
    expect(formatCell('POLYGON'.repeat(20), 'binary')).toHaveLength(58);
  });
});

describe('histograms over each other', () => {
  it('are compared by share and width, not by count', () => {
    const { low, high, shapes } = shapesOf([
      { edges: [0, 1, 2], counts: [10, 30] },
      // The same distribution of ten times the rows, in one bin of twice the width.
      { edges: [0, 2], counts: [400] },
      null
    ]);
    expect([low, high]).toEqual([0, 2]);
    expect(shapes[0]?.bins.map(([, , top]) => top)).toEqual([1 / 3, 1]);
    expect(shapes[2]).toBeNull();
    expect(outline(shapes[0]!, 100, 10)).toBe(
      'M0.0 10.0L0.0 6.7L50.0 6.7L50.0 0.0L100.0 0.0L100.0 10.0'
    );
  });

  it('draw a single value as a bar that can be seen', () => {
    const { shapes } = shapesOf([{ edges: [5, 5], counts: [7] }]);
    const [left, right, top] = shapes[0]!.bins[0]!;
    expect(right).toBeGreaterThan(left);
    expect(top).toBe(1);
  });
});

describe('the lineage', () => {
  const way: [string, string][] = [
    ['item:a', 'commit:g/1@0'],
    ['commit:g/1@0', 'commit:g/1@1'],
    ['commit:g/1@1', 'view:v/1'],
    ['view:v/1', 'study:s'],
    ['study:s', 'model:m/1'],
    ['view:v/1', 'model:m/1']
  ];

  it('goes from left to right, the commits of a group in one column', () => {
    const layout = layOut(graph(way), new Set());
    const at = Object.fromEntries(
      layout.placed.map(one => [one.id, one.column])
    );
    expect(at).toEqual({
      'item:a': 0,
      'commit:g/1@0': 1,
      'commit:g/1@1': 1,
      'view:v/1': 2,
      'study:s': 3,
      'model:m/1': 4
    });
    // The model's data are its study's data: one way is drawn.
    const links = layout.links.map(([from, to]) => `${from.id}>${to.id}`);
    expect(links).toContain('study:s>model:m/1');
    expect(links).not.toContain('view:v/1>model:m/1');
  });

  it('heaps many of a kind, and opens the heap', () => {
    const many = Array.from({ length: 9 }, (_, n): [string, string] => [
      `item:${n}`,
      'commit:g/1@0'
    ]);
    const closed = layOut(graph(many), new Set());
    expect(closed.placed).toHaveLength(2);
    const heap = closed.placed.find(one => one.kind === 'item')!;
    expect(heap.nodes).toHaveLength(9);
    expect(closed.links).toHaveLength(1);
    const open = layOut(graph(many), new Set([heap.id]));
    expect(open.placed).toHaveLength(10);
    expect(
      new Set(open.placed.map(one => `${one.column} ${one.row}`)).size
    ).toBe(10);
  });

  it('ends where a damaged record goes in a circle', () => {
    const circle = graph([
      ['view:a/1', 'study:b'],
      ['study:b', 'view:a/1']
    ]);
    expect(layOut(circle, new Set()).placed).toHaveLength(2);
  });
});

describe('finding features', () => {
  const view = {
    name: 'crops',
    version: 1,
    description: '',
    labels: ['crop'],
    features: 1,
    groups: ['spectra/1', 'fields/1'],
    created: 0,
    label_group: 'fields/1',
    task: 'classification',
    columns: [{ name: 'ndvi', group: 'spectra/1', column: 'ndvi' }],
    steps: null,
    datasets: []
  } satisfies IFeatureView;
  const all: IFeatures = {
    groups: [
      group('spectra', ['ndvi'], ['optical']),
      group('fields', ['crop']),
      group('radar', ['vv'], ['sar', 'optical'])
    ],
    views: [view]
  };
  const names = (found: IFeatures): string[] => [
    ...found.groups.map(each => each.name),
    ...found.views.map(each => each.name)
  ];

  it('takes every word, wherever it stands', () => {
    expect(names(findFeatures(all, 'NDVI', null))).toEqual([
      'spectra',
      'crops'
    ]);
    expect(names(findFeatures(all, 'ndvi crop', null))).toEqual(['crops']);
    expect(names(findFeatures(all, 'nothing', null))).toEqual([]);
  });

  it('takes the words of a title', () => {
    const title = (_: string, label: string): string =>
      label === 'radar/1' ? 'Backscatter' : '';
    expect(names(findFeatures(all, 'backscatter', null, title))).toEqual([
      'radar'
    ]);
  });

  it('keeps to a tag; a view has those of its groups', () => {
    expect(tagsOf(all)).toEqual(['optical', 'sar']);
    expect(names(findFeatures(all, '', 'sar'))).toEqual(['radar']);
    expect(names(findFeatures(all, '', 'optical'))).toEqual([
      'spectra',
      'radar',
      'crops'
    ]);
  });
});

describe('the form of a view', () => {
  it('says what is missing, one thing at a time', () => {
    let draft = EMPTY;
    expect(lacking(draft, trans)).toMatch(/predicted/);
    draft = { ...draft, labelGroup: 'fields/1', labelColumn: 'crop' };
    expect(lacking(draft, trans)).toMatch(/feature/);
    draft = tick(draft, 'spectra/1', ['ndvi'], true);
    expect(lacking(draft, trans)).toMatch(/Name/);
    expect(lacking({ ...draft, name: 'v' }, trans)).toBe('');
    expect(lacking({ ...draft, name: '../v' }, trans)).toMatch(/letters/);
    expect(lacking({ ...draft, name: 'v', version: '0' }, trans)).toMatch(/1/);
  });

  it('puts a prefix before names that two groups share', () => {
    const groups = [group('a', ['x', 'y']), group('b', ['x'])];
    let draft = tick(EMPTY, 'a/1', ['y', 'x'], true);
    draft = tick(draft, 'b/1', ['x'], true);
    draft = tick(draft, 'a/1', ['y'], false);
    expect(formOf(draft, groups).features).toEqual([
      { group: 'a/1', columns: ['x'], prefix: '' },
      { group: 'b/1', columns: ['x'], prefix: 'b_' }
    ]);
  });
});

describe('the map', () => {
  const size = { width: 800, height: 400 };

  it('goes from degrees to pixels and back', () => {
    const { toPixel, toDegree } = projector([10, 46, 11, 47], size, {
      zoom: 3,
      x: 0.1,
      y: -0.2
    });
    const [lon, lat] = toDegree(...toPixel(10.3, 46.8));
    expect(lon).toBeCloseTo(10.3, 9);
    expect(lat).toBeCloseTo(46.8, 9);
  });

  it('shows one place with what is around it', () => {
    const { toPixel } = projector([10, 46, 10, 46], size, {
      zoom: 1,
      x: 0,
      y: 0
    });
    expect(toPixel(10, 46)).toEqual([400, 200]);
  });

  it.each([
    [0.03, 0.05],
    [0.011, 0.02],
    [7, 10],
    [1, 1]
  ])('a step of at least %s is %s', (least, step) => {
    expect(niceStep(least)).toBeCloseTo(step, 9);
  });
});
