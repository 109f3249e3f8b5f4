import { isoOfMicroseconds, type IVersioned } from '../../context/names';
import { pythonString } from '../../context/pythonString';

/** What code about a feature group can do. */
export const GROUP_CODE = ['open', 'read', 'view'] as const;

/** What code about a feature view can do. */
export const VIEW_CODE = ['open', 'read', 'training', 'split'] as const;

export type GroupCode = (typeof GROUP_CODE)[number];
export type ViewCode = (typeof VIEW_CODE)[number];

const OPEN = ['import eolab as eo', '', 'ws = eo.workspace()'];

/**
 * Python that works on a feature group and runs in a fresh kernel.
 *
 * @param features - What a view is made of.
 * @param asOf - Read what was known then, microseconds since the epoch.
 */
export function groupCode(
  { name, version }: IVersioned,
  what: GroupCode,
  features: readonly string[] = [],
  asOf: number | null = null
): string {
  const time = asOf === null ? '' : pythonString(isoOfMicroseconds(asOf));
  const then: Record<GroupCode, string[]> = {
    open: ['group'],
    read: [`rows = group.read(${time ? `as_of=${time}` : ''})`, 'rows.head()'],
    view: [
      'view = ws.features.create_feature_view(',
      `    ${pythonString(`${name}-view`)},`,
      '    labels=group.select("..."),  # what to predict: a column of this or another group',
      `    query=group.select([${features.map(pythonString).join(', ')}]),`,
      ')',
      'view'
    ]
  };
  return [
    ...OPEN,
    `group = ws.features.feature_group(${pythonString(name)}, ${version})`,
    ...then[what]
  ].join('\n');
}

/** Python that works on a feature view and runs in a fresh kernel. */
export function viewCode(
  { name, version }: IVersioned,
  what: ViewCode
): string {
  const then: Record<ViewCode, string[]> = {
    open: ['view'],
    read: ['rows = view.read()', 'rows.head()'],
    training: ['data = view.training_data()', 'data.X.shape, data.classes'],
    split: [
      '# By blocks of the map; pass by="random" where the labels have no place.',
      'split = view.train_validation_test_split(',
      '    validation_size=0.2, test_size=0.2, seed=0',
      ')',
      'dataset = view.create_training_dataset(split)  # kept as it is now',
      'dataset.to_pandas().head()'
    ]
  };
  return [
    ...OPEN,
    `view = ws.features.feature_view(${pythonString(name)}, ${version})`,
    ...then[what]
  ].join('\n');
}
