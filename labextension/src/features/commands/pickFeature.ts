import { InputDialog, Notification } from '@jupyterlab/apputils';

import { labelOf, parseLabel, type IVersioned } from '../../context/names';
import type { IEolab } from '../../context/tokens';
import { failureTitle } from '../../ui/failureText';
import { IFeaturesModel } from '../model/featuresToken';
import type { FeatureKind } from './featureTabs';

/** Ask for one of the groups or views; null where there is none or none was chosen. */
export async function pickFeature(
  eolab: IEolab,
  kind: FeatureKind
): Promise<IVersioned | null> {
  const { trans } = eolab;
  const features = eolab.model(IFeaturesModel);
  await features.features.refresh();
  const { data, error } = features.features.state;
  if (error) {
    Notification.error(failureTitle(error, trans));
    return null;
  }
  const found = kind === 'group' ? data?.groups : data?.views;
  const items = (found ?? []).map(labelOf);
  const [first] = items;
  if (first === undefined) {
    Notification.info(
      kind === 'group'
        ? trans.__('There is no feature group yet.')
        : trans.__('There is no feature view yet.'),
      { autoClose: 4000 }
    );
    return null;
  }
  if (items.length === 1) {
    return parseLabel(first);
  }
  const answer = await InputDialog.getItem({
    title:
      kind === 'group'
        ? trans.__('Which feature group?')
        : trans.__('Which feature view?'),
    items
  });
  return answer.button.accept && answer.value ? parseLabel(answer.value) : null;
}
