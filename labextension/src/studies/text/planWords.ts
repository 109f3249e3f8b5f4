import type { TranslationBundle } from '@jupyterlab/translation';

import type { Json } from '../../server/contract';
import { inWords, part } from './about';

/** How trials are suggested: `TPE, the first 10 at random`. */
export function samplerWords(
  sampler: Json | undefined,
  trans: TranslationBundle
): string {
  const kind = part(sampler, 'kind');
  const startup = part(sampler, 'startup');
  if (typeof kind !== 'string') {
    return inWords(sampler);
  }
  const names: Record<string, string | undefined> = {
    tpe: 'TPE',
    gp: trans.__('Gaussian process'),
    cmaes: 'CMA-ES',
    qmc: trans.__('quasi-random'),
    random: trans.__('random'),
    grid: trans.__('grid')
  };
  const name = names[kind];
  if (name === undefined) {
    return inWords(sampler);
  }
  return typeof startup === 'number' && startup > 0
    ? trans.__('%1, the first %2 at random', name, startup)
    : name;
}

/** When a trial is stopped early: `worse than the median, from 5 completed trials on`. */
export function stopWords(
  stop: Json | undefined,
  trans: TranslationBundle
): string {
  if (stop === null || stop === undefined) {
    return trans.__('none');
  }
  if (Array.isArray(stop)) {
    return (stop as readonly Json[])
      .map(each => stopWords(each, trans))
      .join('; ');
  }
  const number = (name: string): number | null => {
    const value = part(stop, name);
    return typeof value === 'number' ? value : null;
  };
  if (part(stop, 'kind') !== 'percentile') {
    return inWords(stop) || trans.__('none');
  }
  const [share, startup, warmup] = ['percentile', 'startup', 'warmup'].map(
    number
  );
  return [
    share === 50
      ? trans.__('worse than the median')
      : trans.__('worse than percentile %1', share ?? ''),
    startup ? trans.__('from %1 completed trials on', startup) : '',
    warmup ? trans.__('not before step %1', warmup) : ''
  ]
    .filter(Boolean)
    .join(', ');
}
