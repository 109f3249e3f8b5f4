import type { TranslationBundle } from '@jupyterlab/translation';

import type { IItemDetail } from '../../../server/contract';

/** One way of drawing an item. */
export interface IWay {
  id: string;
  label: string;
  query: { bands?: string; index?: string };
}

/** How an item can be drawn, by the bands that it has. */
export function ways(
  item: Pick<IItemDetail, 'bands' | 'indices'>,
  trans: TranslationBundle
): IWay[] {
  const names = item.bands.filter(band => !band.classes);
  const common = new Set(names.map(band => band.common));
  const has = (...wanted: string[]): boolean =>
    wanted.every(name => common.has(name));
  const found: IWay[] = [];
  const colour = (id: string, label: string, ...bands: string[]): void => {
    if (has(...bands)) {
      found.push({ id, label, query: { bands: bands.join(',') } });
    }
  };
  colour('true', trans.__('True colour'), 'red', 'green', 'blue');
  colour(
    'false',
    trans.__('False colour (near infrared)'),
    'nir',
    'red',
    'green'
  );
  colour('swir', trans.__('False colour (short wave)'), 'swir16', 'nir', 'red');
  for (const index of item.indices) {
    found.push({ id: `index:${index}`, label: index, query: { index } });
  }
  for (const name of common) {
    found.push({ id: `band:${name}`, label: name, query: { bands: name } });
  }
  return found.length
    ? found
    : [{ id: 'any', label: trans.__('Preview'), query: {} }];
}
