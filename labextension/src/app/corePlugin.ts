import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IEolab } from '../context/tokens';
import { Eolab } from './eolab';

/** The models behind all panels and views. */
export const corePlugin: JupyterFrontEndPlugin<IEolab> = {
  id: 'eolab:core',
  description: 'Provides the models behind the Earth Observation panels.',
  autoStart: true,
  provides: IEolab,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): IEolab => {
    const trans = (translator ?? nullTranslator).load('eolab');
    return new Eolab(app, trans);
  }
};
