import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { CommandIDs } from '../context/commandIds';
import { IEolab } from '../context/tokens';
import type { IStudySummary } from '../server/contract';
import { formatValue } from '../ui/format';
import { IStudiesModel } from './model/studiesToken';
import { StudiesWatch } from './model/studiesWatch';
import { IStudiesWatch } from './model/watchToken';
import { studyStateWord } from './text/words';

/** Follows all studies and tells when one ends. */
export const watchPlugin: JupyterFrontEndPlugin<IStudiesWatch> = {
  id: 'eolab:studies-watch',
  description: 'Follows all studies and tells when one ends.',
  autoStart: true,
  provides: IStudiesWatch,
  requires: [IEolab],
  optional: [ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    eolab: IEolab,
    registry: ISettingRegistry | null
  ): IStudiesWatch => {
    const { trans } = eolab;
    const watch = new StudiesWatch(eolab.model(IStudiesModel));
    const settings = registry?.load('eolab:studies').catch(() => null) ?? null;
    const tell = async (study: IStudySummary): Promise<void> => {
      const composite = (await settings)?.composite;
      const bad = study.state === 'failed' || study.state === 'interrupted';
      const wanted = bad
        ? composite?.['notifyFailure']
        : composite?.['notifyEnd'];
      if (wanted === false) {
        return;
      }
      const head = trans.__(
        'Study “%1” %2',
        study.name,
        studyStateWord(study.state, trans)
      );
      const detail = bad
        ? study.message
        : study.kind === 'ablation'
          ? trans.__('its effects can be read')
          : study.best
            ? `${study.metric} ${formatValue(study.best.value)}`
            : trans.__('without a value');
      Notification.emit(
        detail ? `${head}: ${detail}` : head,
        bad ? 'error' : 'success',
        {
          autoClose: bad ? false : 8000,
          actions: [
            {
              label: trans.__('Open'),
              callback: () =>
                void app.commands.execute(CommandIDs.openStudy, {
                  name: study.name
                })
            }
          ]
        }
      );
    };
    watch.ended.connect((_, study) => {
      // Who cancels a study has seen it end.
      if (study.state !== 'cancelled') {
        void tell(study);
      }
    });
    return watch;
  }
};
