import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { extentText } from '../../../src/catalog/collections/CollectionAbout';
import {
  areaOfBox,
  bodyOf,
  boundsOf,
  boundsOfRings,
  cqlOf,
  EMPTY,
  isBox,
  readQuery,
  type IArea,
  type ISearchQuery
} from '../../../src/catalog/model/query';
import { SearchModel } from '../../../src/catalog/model/searchModel';
import { barsOf, datesOf } from '../../../src/catalog/search/form/histogram';
import { SearchForm } from '../../../src/catalog/search/form/SearchForm';
import { ways } from '../../../src/catalog/search/panes/previewWays';
import { ResultsBar } from '../../../src/catalog/search/results/ResultsBar';
import {
  featuresCode,
  loadCode,
  python,
  searchCode
} from '../../../src/catalog/search/results/searchCode';
import { AddSource } from '../../../src/catalog/sources/AddSource';
import { loginBody, readLogin } from '../../../src/catalog/sources/login';
import { CommandIDs } from '../../../src/context/commandIds';
import { EolabContext } from '../../../src/context/context';
import { FakeServer, refusal } from '../../fakeServer';

const trans = nullTranslator.load('eolab');

const TRIANGLE: IArea = {
  type: 'Polygon',
  coordinates: [
    [
      [14, 45],
      [15, 45],
      [14, 46],
      [14, 45]
    ]
  ]
};

const ASKED: ISearchQuery = {
  ...EMPTY,
  catalog: 'sample',
  collection: 's2',
  start: '2021-04-01',
  maxCloud: 40,
  area: areaOfBox([14, 45, 15, 46]),
  text: ' crops ',
  filters: { 'sat:relative_orbit': { min: 20 }, platform: { values: ['a'] } }
};

const ITEM = {
  id: 'one',
  collection: 's2',
  datetime: '2021-05-01T10:00:00Z',
  cloud_cover: 3,
  platform: 'sentinel-2a',
  orbit: 22,
  rings: [],
  thumbnail: true,
  simulated: true,
  note: ''
};

const FOUND = {
  items: [ITEM, { ...ITEM, id: 'two' }],
  matched: 2,
  histogram: { period: 'day', bins: [], whole: true },
  message: '',
  skipped: []
};

describe('a query', () => {
  it('goes out with a box as bbox and a polygon as intersects', () => {
    expect(bodyOf(ASKED)).toEqual({
      collection: 's2',
      bbox: [14, 45, 15, 46],
      datetime: '2021-04-01/..',
      max_cloud: 40,
      filter: {
        op: 'and',
        args: [
          { op: '>=', args: [{ property: 'sat:relative_orbit' }, 20] },
          { op: '=', args: [{ property: 'platform' }, 'a'] }
        ]
      },
      text: 'crops',
      limit: 1000
    });
    const drawn = bodyOf({ ...EMPTY, area: TRIANGLE });
    expect(drawn).toEqual({ intersects: TRIANGLE, limit: 1000 });
  });

  it('tells boxes from polygons, and knows the box around both', () => {
    expect(isBox(areaOfBox([1, 2, 3, 4]))).toBe(true);
    expect(isBox(TRIANGLE)).toBe(false);
    expect(boundsOf(TRIANGLE)).toEqual([14, 45, 15, 46]);
  });

  it('has no filter where nothing is limited', () => {
    expect(cqlOf({ a: {}, b: { values: [] } })).toBeNull();
    expect(cqlOf({ a: { max: 0 } })).toEqual({
      op: '<=',
      args: [{ property: 'a' }, 0]
    });
    expect(cqlOf({ a: { values: [1, 2] } })).toEqual({
      op: 'in',
      args: [{ property: 'a' }, [1, 2]]
    });
  });

  it('comes back from what was stored, and from what is no query', () => {
    expect(readQuery(JSON.parse(JSON.stringify(ASKED)))).toEqual(ASKED);
    expect(readQuery(null)).toEqual(EMPTY);
    expect(
      readQuery({ catalog: 3, maxCloud: 900, area: { type: 'Point' } })
    ).toEqual(EMPTY);
  });
});

describe('code', () => {
  it('writes values as Python does', () => {
    expect(python({ a: [true, null, 'x"y', 1.5] })).toBe(
      '{"a": [True, None, "x\\"y", 1.5]}'
    );
  });

  it('finds again what the form asks for', () => {
    expect(searchCode(ASKED, { ids: [], bands: [], mask: false })).toBe(
      [
        'import eolab as eo',
        '',
        'ws = eo.workspace()',
        'catalogue = ws.catalog("sample")',
        'bbox = [14, 45, 15, 46]  # west, south, east, north',
        'items = catalogue.search(',
        '    collections=["s2"],',
        '    bbox=bbox,',
        '    datetime="2021-04-01/..",',
        '    max_cloud=40,',
        '    filter={"op": "and", "args": [{"op": ">=", "args": ' +
          '[{"property": "sat:relative_orbit"}, 20]}, {"op": "=", "args": ' +
          '[{"property": "platform"}, "a"]}]},',
        '    text="crops",',
        ')'
      ].join('\n')
    );
  });

  it('of chosen scenes names them, and loads the area of a polygon', () => {
    const code = loadCode(
      { ...ASKED, area: TRIANGLE },
      { ids: ['one'], bands: ['red', 'nir'], mask: true }
    );
    expect(code).toContain('ids=["one"]');
    expect(code).not.toContain('max_cloud');
    expect(code).toContain('    intersects=area,');
    expect(code).toContain('    bands=["red", "nir"],');
    expect(code).toContain('mask=eo.mask(drop=["cloud", "shadow"])');
  });

  it('for features has an index where its bands are there', () => {
    const choice = { ids: [], bands: ['red', 'nir'], mask: true };
    const code = featuresCode({ ...ASKED, collection: 'S2-L2A (x)' }, choice);
    expect(code).toContain('"s2_l2a_x", primary_key=["zone_id"]');
    expect(code).toContain('cube.eo.spectral_index("NDVI")');
    expect(code).toContain('geometry=[box(*bbox)]');
    const radar = featuresCode(ASKED, { ...choice, bands: ['vv'] });
    expect(radar).not.toContain('NDVI');
  });
});

describe('items over time', () => {
  const bars = barsOf({
    period: 'month',
    bins: [
      ['2021-01-01', 2],
      ['2021-04-01', 5]
    ],
    whole: true
  });

  it('keep the gaps between them', () => {
    expect(bars.map(bar => bar.end)).toEqual(['2021-01-31', '2021-04-30']);
    expect(bars[0]?.from).toBe(0);
    expect(bars[1]?.to).toBe(1);
    expect(bars[1]?.from).toBeGreaterThan(0.7);
    expect(barsOf({ period: 'day', bins: [], whole: true })).toEqual([]);
  });

  it('give the dates of the bars that a drag meets, in both directions', () => {
    expect(datesOf(bars, 0.1, 0.2)).toEqual(['2021-01-01', '2021-01-31']);
    expect(datesOf(bars, 0.9, 0.1)).toEqual(['2021-01-01', '2021-04-30']);
    expect(datesOf(bars, 0.4, 0.5)).toBeNull();
  });
});

it('a scene is drawn in the ways that its bands allow', () => {
  const band = {
    asset: 'x',
    index: 1,
    name: 'x',
    wavelength: null,
    resolution: 10,
    type: null,
    scale: 1,
    offset: 0,
    nodata: null,
    classes: false
  };
  const bands = ['red', 'green', 'nir'].map(common => ({ ...band, common }));
  const classes = { ...band, common: 'scl', classes: true };
  const found = ways({ bands: [...bands, classes], indices: ['NDVI'] }, trans);
  expect(found.map(way => way.id)).toEqual([
    'false',
    'index:NDVI',
    'band:red',
    'band:green',
    'band:nir'
  ]);
  expect(ways({ bands: [], indices: [] }, trans)[0]?.query).toEqual({});
});

it('the box around footprints is known, and that there are none', () => {
  expect(boundsOfRings([])).toBeNull();
  expect(boundsOfRings(TRIANGLE.coordinates.map(ring => ring.flat()))).toEqual([
    14, 45, 15, 46
  ]);
});

it('an extent is told as a map would tell it', () => {
  expect(extentText([11.93, 48.58, 12.07, 48.62])).toBe(
    '11.93–12.07° E, 48.58–48.62° N'
  );
  expect(extentText([-10, -5, 10, 5])).toBe(
    '10.00° W – 10.00° E, 5.00° S – 5.00° N'
  );
});

describe('a search', () => {
  it('shows the answer to the last question only', async () => {
    const server = new FakeServer();
    const waiting: (() => void)[] = [];
    server.answers.set('catalogs/sample/search', async request => {
      const { text } = (await request.json()) as { text?: string };
      if (text === 'slow') {
        await new Promise<void>(done => waiting.push(done));
      }
      return { ...FOUND, message: text ?? '' };
    });
    const model = new SearchModel(server.eolab().client);
    model.start({ ...EMPTY, catalog: 'sample', text: 'slow' });
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    model.start({ ...EMPTY, catalog: 'sample', text: 'quick' });
    await vi.waitFor(() => expect(model.state.found?.message).toBe('quick'));
    waiting[0]?.();
    await new Promise(done => setTimeout(done));
    expect(model.state.found?.message).toBe('quick');
    expect(model.state.loading).toBe(false);
  });

  it('is cancelled by its button, and what comes late is not shown', async () => {
    const server = new FakeServer();
    let answer = (): void => undefined;
    server.answers.set('catalogs/sample/search', async () => {
      await new Promise<void>(done => (answer = done));
      return FOUND;
    });
    const eolab = server.eolab();
    render(
      <EolabContext.Provider value={eolab}>
        <SearchForm catalogs={[]} />
      </EolabContext.Provider>
    );
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
    act(() => eolab.catalog.search.start({ ...EMPTY, catalog: 'sample' }));
    fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
    expect(screen.getByRole('button', { name: 'Search' })).toBeTruthy();
    answer();
    await new Promise(done => setTimeout(done));
    expect(eolab.catalog.search.state.found).toBeNull();
  });

  it('keeps what was chosen while it is still there', async () => {
    const server = new FakeServer();
    server.answers.set('catalogs/sample/search', FOUND);
    const model = new SearchModel(server.eolab().client);
    model.start({ ...EMPTY, catalog: 'sample' });
    await vi.waitFor(() => expect(model.state.found).not.toBeNull());
    model.select('s2/one', false);
    model.select('s2/two', true);
    model.open('s2/two');
    expect(model.state.selected.size).toBe(2);
    server.answers.set('catalogs/sample/search', { ...FOUND, items: [ITEM] });
    await model.run();
    expect([...model.state.selected]).toEqual(['s2/one']);
    expect(model.state.opened).toBeNull();
  });

  it('keeps the answer beside a later error', async () => {
    const server = new FakeServer();
    server.answers.set('catalogs/sample/search', FOUND);
    const model = new SearchModel(server.eolab().client);
    model.start({ ...EMPTY, catalog: 'sample' });
    await vi.waitFor(() => expect(model.state.found).not.toBeNull());
    server.answers.set(
      'catalogs/sample/search',
      refusal(502, 'page 3 of the search failed', 'Try again.')
    );
    await model.run();
    expect(model.state.error?.message).toContain('page 3');
    expect(model.state.found?.items).toHaveLength(2);
  });

  it('does not tell of another catalogue what went wrong in the last', async () => {
    const server = new FakeServer();
    server.answers.set(
      'catalogs/broken/search',
      refusal(502, 'what came is no JSON', 'Look at the address.')
    );
    server.answers.set('catalogs/silent/search', () => new Promise(() => {}));
    const model = new SearchModel(server.eolab().client);
    model.start({ ...EMPTY, catalog: 'broken' });
    await waitFor(() => expect(model.state.error).not.toBeNull());
    model.start({ ...EMPTY, catalog: 'silent' });
    expect(model.state.error).toBeNull();
    expect(model.state.loading).toBe(true);
  });

  it('inserts code of what is chosen', async () => {
    const server = new FakeServer();
    server.answers.set('catalogs/sample/search', FOUND);
    server.answers.set('catalogs/sample/item', {
      bands: [{ common: 'nir' }, { common: 'red' }],
      mask: true
    });
    const eolab = server.eolab();
    const inserted = vi.fn();
    eolab.commands.addCommand(CommandIDs.insertCell, { execute: inserted });
    eolab.catalog.search.start({ ...EMPTY, catalog: 'sample' });
    render(
      <EolabContext.Provider value={eolab}>
        <ResultsBar />
      </EolabContext.Provider>
    );
    await screen.findByText('2 scenes');
    fireEvent.click(screen.getByText('Insert code'));
    await waitFor(() => expect(inserted).toHaveBeenCalled());
    const { code, origin } = inserted.mock.calls[0]?.[0] as {
      code: string;
      origin: string;
    };
    expect(origin).toBe('search:sample');
    expect(code).toContain('bands=["red", "nir"]');
    expect(code).toContain('mask=eo.mask');
  });
});

it('a catalogue is added, and a refusal is told with its hint', async () => {
  const server = new FakeServer();
  let answer: object = refusal(400, 'there is no /here', 'Give a folder.');
  let sent: unknown;
  server.answers.set('catalogs', async request => {
    sent = request.method === 'POST' ? await request.json() : sent;
    return request.method === 'POST' ? answer : { catalogs: [] };
  });
  render(
    <EolabContext.Provider value={server.eolab()}>
      <AddSource />
    </EolabContext.Provider>
  );
  fireEvent.click(screen.getByRole('button', { name: 'Add a catalogue' }));
  const type = (label: string, value: string): void => {
    fireEvent.change(screen.getByLabelText(label), { target: { value } });
  };
  type('Name', 'mine');
  type('Address', '/here');
  fireEvent.click(screen.getByRole('button', { name: 'Add' }));
  await screen.findByText('Give a folder.');
  answer = { catalogs: [] };
  fireEvent.click(screen.getByRole('button', { name: 'Add' }));
  await screen.findByText('“mine” was added.');
  expect(sent).toEqual({
    name: 'mine',
    url: '/here',
    kind: 'auto',
    description: ''
  });
  // A store on the reader's bill; half of an OAuth2 login is not sent.
  type('Name', 'bucket');
  type('Address', '/here');
  type('Login', 'oauth');
  type('Client', 'me');
  sent = null;
  fireEvent.click(screen.getByRole('button', { name: 'Add' }));
  expect(sent).toBeNull();
  type('Login', 's3');
  type('AWS profile', 'mine');
  fireEvent.click(screen.getByRole('checkbox'));
  fireEvent.click(screen.getByRole('button', { name: 'Add' }));
  await screen.findByText('“bucket” was added.');
  expect(sent).toMatchObject({
    name: 'bucket',
    s3: { profile: 'mine', requester_pays: true }
  });
});

describe('the login of a catalogue', () => {
  const logins: [string, Record<string, unknown>][] = [
    ['none', {}],
    ['token', { token: 'env:TOKEN' }],
    ['header', { headers: { 'X-Key': 'env:KEY' } }],
    ['sign', { sign: 'planetary-computer' }],
    ['s3', { s3: { requester_pays: true, profile: 'me' } }],
    [
      'oauth',
      { client_secret: 'env:S', client_id: 'me', token_url: 'https://t' }
    ]
  ];
  it.each(logins)('%s stands in its form as in the file', (kind, login) => {
    const draft = readLogin(login);
    expect(draft.kind).toBe(kind);
    expect(loginBody(draft)).toEqual(login);
  });

  it.each([
    { token: 'env:A', s3: { profile: 'me' } },
    { headers: { a: 'b', c: 'd' } },
    { token: 'env:A', sign: 'planetary-computer' }
  ])('that no form holds is kept whole: %o', login => {
    expect(readLogin(login).kind).toBe('kept');
  });
});
