import { pythonString } from '../../context/pythonString';

/** What code about a study can do. */
export type CodeKind = 'attach' | 'best' | 'effects' | 'refit' | 'trials';

/** Python that works on a study and runs in a fresh kernel. */
export function studyCode(name: string, what: CodeKind): string {
  const open = [
    'import eolab as eo',
    '',
    'ws = eo.workspace()',
    `study = ws.study(${pythonString(name)})`
  ];
  const then: Record<CodeKind, string[]> = {
    attach: ['study'],
    best: ['params = study.best_params', 'params, study.best_value'],
    effects: [
      `ablation = ws.ablation(${pythonString(name)})`,
      'ablation.result().to_dataframe()'
    ],
    refit: [
      'fitted = study.refit()',
      `model = ws.models.register(${pythonString(name)}, fitted)  # add test=split.test to test it`,
      'model.metrics'
    ],
    trials: ['trials = study.to_dataframe()', 'trials.head()']
  };
  return [...open, ...then[what]].join('\n');
}
