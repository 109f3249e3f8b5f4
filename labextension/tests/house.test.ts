// @vitest-environment node
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/**
 * The floors of each house, lowest first: what stands on one imports only from lower ones, or from
 * itself. Rooms of one floor are strangers. `.` is what lies in the folder itself.
 */
const FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '': [
    ['server'],
    ['context'],
    ['ui'],
    ['charts'],
    ['entities'],
    ['catalog', 'features', 'studies', 'models'],
    ['app'],
    ['.']
  ],
  server: [['contract'], ['.']],
  ui: [['fields', 'grid'], ['.']],
  catalog: [
    ['model'],
    ['items'],
    ['collections'],
    ['sources', 'saved', 'find'],
    ['ingest', 'search'],
    ['.']
  ],
  'catalog/search': [['form', 'map', 'results'], ['panes'], ['.']],
  features: [
    ['model'],
    ['charts', 'lineage', 'buttons'],
    ['groups', 'views'],
    ['commands'],
    ['.']
  ],
  studies: [
    ['model'],
    ['text'],
    ['header'],
    ['trials'],
    ['charts'],
    ['ablation', 'compare'],
    ['sidebar', 'tab'],
    ['commands'],
    ['.']
  ]
};

const MOST_FILES = 20;

const ROOT = `${ts.sys.getCurrentDirectory()}/labextension`;

/** All files of a tree, as paths below it. */
function filesBelow(tree: string): string[] {
  return ts.sys
    .readDirectory(`${ROOT}/${tree}`)
    .map(path => path.slice(`${ROOT}/${tree}/`.length));
}

/** The folder of a file; empty for the tree itself. */
function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

const files = filesBelow('src');

/** Every file that a file imports: for its types only and by `import()` too. */
function importsOf(file: string): string[] {
  const text = ts.sys.readFile(`${ROOT}/src/${file}`) ?? '';
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter(name => name.startsWith('.'))
    .map(name => {
      const base = ts.sys
        .resolvePath(`${ROOT}/src/${folderOf(file)}/${name}`)
        .slice(`${ROOT}/src/`.length);
      const found = [`${base}.ts`, `${base}.tsx`, `${base}/index.ts`].find(
        candidate => files.includes(candidate)
      );
      if (found === undefined) {
        throw new Error(`${file} imports ${name}, which is no file.`);
      }
      return found;
    });
}

const graph = new Map(files.map(file => [file, importsOf(file)]));

/** A file's room within a house: a folder in it, or `.` for the house itself. */
function roomOf(file: string, house: string): string {
  const inside = house ? file.slice(house.length + 1) : file;
  const [room = ''] = inside.split('/');
  return room === inside ? '.' : room;
}

/** What of the imports goes up, or to a stranger on the same floor. */
function wrongWays(
  house: string,
  floors: readonly (readonly string[])[]
): string[] {
  const within = (file: string): boolean =>
    !house || file.startsWith(`${house}/`);
  const floorOf = (room: string): number =>
    floors.findIndex(rooms => rooms.includes(room));
  return [...graph]
    .filter(([file]) => within(file))
    .flatMap(([file, targets]) =>
      targets
        .filter(within)
        .filter(target => {
          const [from, to] = [roomOf(file, house), roomOf(target, house)];
          return from !== to && floorOf(to) >= floorOf(from);
        })
        .map(target => `${file} -> ${target}`)
    );
}

/** A circle of imports, as its files; empty where there is none. */
function findCircle(): string[] {
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string): string[] => {
    if (way.includes(file)) {
      return [...way.slice(way.indexOf(file)), file];
    }
    if (done.has(file)) {
      return [];
    }
    way.push(file);
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target);
      if (circle.length) {
        return circle;
      }
    }
    way.pop();
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle.length) {
      return circle;
    }
  }
  return [];
}

describe('the house', () => {
  it.each(Object.entries(FLOORS))(
    'imports from lower floors only, within “%s”',
    (house, floors) => {
      const rooms = [...graph.keys()]
        .filter(file => !house || file.startsWith(`${house}/`))
        .map(file => roomOf(file, house));
      expect([...new Set(rooms)].sort()).toEqual(floors.flat().sort());
      expect(wrongWays(house, floors)).toEqual([]);
    }
  );

  it('has floors for every folder with rooms in it', () => {
    const houses = files
      .map(folderOf)
      .filter(folder => folder)
      .map(folderOf);
    expect([...new Set(houses)].sort()).toEqual(Object.keys(FLOORS).sort());
  });

  it('has no circle of imports', () => {
    // A parser that misses ways of importing would find nothing: lazy ones and types are seen.
    expect(graph.get('app/sidebar.tsx')).toContain('catalog/CatalogPanel.tsx');
    expect(graph.get('context/tokens.ts')).toContain('server/client.ts');
    expect(findCircle()).toEqual([]);
  });

  it.each(['src', 'tests'])('has no crowded folder in %s', tree => {
    const counts = new Map<string, number>();
    filesBelow(tree)
      .map(folderOf)
      .forEach(folder => counts.set(folder, (counts.get(folder) ?? 0) + 1));
    const crowded = [...counts].filter(([, count]) => count > MOST_FILES);
    expect(crowded).toEqual([]);
  });
});
