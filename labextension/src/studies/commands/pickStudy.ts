import { InputDialog, Notification } from '@jupyterlab/apputils';

import type { IEolab } from '../../context/tokens';
import type { IStudySummary } from '../../server/contract';
import { failureTitle } from '../../ui/failureText';
import { IStudiesModel } from '../model/studiesToken';

/** Ask for one of the studies that fit; null where none does or none was chosen. */
export async function pickStudy(
  eolab: IEolab,
  fits: (study: IStudySummary) => boolean
): Promise<string | null> {
  const { trans } = eolab;
  const studies = eolab.model(IStudiesModel);
  await studies.list.refresh();
  const { data, error } = studies.list.state;
  if (error) {
    Notification.error(failureTitle(error, trans));
    return null;
  }
  const items = (data?.studies ?? []).filter(fits).map(study => study.name);
  if (!items.length) {
    Notification.info(trans.__('There is no study for this.'), {
      autoClose: 4000
    });
    return null;
  }
  if (items.length === 1) {
    return items[0] ?? null;
  }
  const answer = await InputDialog.getItem({
    title: trans.__('Which study?'),
    items
  });
  return answer.button.accept ? answer.value : null;
}
