import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { CommandIDs } from '../../context/commandIds';
import { labelOf, type IVersioned } from '../../context/names';
import type { IEolab } from '../../context/tokens';
import { featuresIcon } from '../../ui/icons';
import { GROUP_CODE, groupCode, VIEW_CODE, viewCode } from './featureCode';
import type { FeatureKind, FeatureTabs } from './featureTabs';

/**
 * Add the commands that open groups and views, make views, and insert code.
 *
 * Without a name (from the palette) each asks which one is meant.
 */
export function addFeatureCommands(
  eolab: IEolab,
  commands: CommandRegistry,
  tabs: FeatureTabs
): IDisposable {
  const { trans } = eolab;
  const properties = {
    name: {
      type: 'string',
      description: trans.__('The name; without it, one is asked for')
    },
    version: { type: 'integer', description: trans.__('The version') }
  };
  const named = { args: { type: 'object', properties } };
  const all = new DisposableSet();
  const pick = async (kind: FeatureKind): Promise<IVersioned | null> =>
    (await import('./pickFeature')).pickFeature(eolab, kind);
  const open =
    (kind: FeatureKind) =>
    async (args: ReadonlyPartialJSONObject): Promise<void> => {
      const which = whichOf(args) ?? (await pick(kind));
      if (which) {
        await tabs.open(kind, which);
      }
    };
  all.add(
    commands.addCommand(CommandIDs.openFeatureGroup, {
      label: args => {
        const which = whichOf(args);
        return which
          ? trans.__('Open feature group %1', labelOf(which))
          : trans.__('Open Feature Group…');
      },
      caption: trans.__('Schema, rows, statistics and history of a group'),
      icon: featuresIcon,
      describedBy: named,
      execute: open('group')
    })
  );
  all.add(
    commands.addCommand(CommandIDs.openFeatureView, {
      label: args => {
        const which = whichOf(args);
        return which
          ? trans.__('Open feature view %1', labelOf(which))
          : trans.__('Open Feature View…');
      },
      caption: trans.__('Features, training datasets and lineage of a view'),
      icon: featuresIcon,
      describedBy: named,
      execute: open('view')
    })
  );
  all.add(
    commands.addCommand(CommandIDs.makeFeatureView, {
      label: trans.__('New Feature View'),
      caption: trans.__('Make a view by ticking a label and features'),
      icon: featuresIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => tabs.openForm()
    })
  );
  all.add(
    commands.addCommand(CommandIDs.insertFeatureCode, {
      label: trans.__('Insert Code for Features…'),
      caption: trans.__('Put a cell into the notebook that works on features'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            ...properties,
            kind: { type: 'string', enum: ['group', 'view'] },
            what: {
              type: 'string',
              description: trans.__(
                'What the code does: open, read or view; of a view: open, read, training or split'
              )
            },
            features: {
              type: 'array',
              items: { type: 'string' },
              description: trans.__('What a new view is made of')
            },
            asOf: {
              type: 'integer',
              description: trans.__(
                'Read what was known then, in microseconds since the epoch'
              )
            }
          }
        }
      },
      execute: async args => {
        const kind = args.kind === 'view' ? 'view' : 'group';
        const which = whichOf(args) ?? (await pick(kind));
        if (!which) {
          return;
        }
        await commands.execute(CommandIDs.insertCell, {
          code: codeOf(kind, which, args)
        });
      }
    })
  );
  return all;
}

function codeOf(
  kind: FeatureKind,
  which: IVersioned,
  args: ReadonlyPartialJSONObject
): string {
  if (kind === 'view') {
    return viewCode(
      which,
      VIEW_CODE.find(each => each === args.what) ?? 'open'
    );
  }
  const features = Array.isArray(args.features)
    ? args.features.filter((each): each is string => typeof each === 'string')
    : [];
  return groupCode(
    which,
    GROUP_CODE.find(each => each === args.what) ?? 'open',
    features,
    typeof args.asOf === 'number' ? args.asOf : null
  );
}

function whichOf(args: ReadonlyPartialJSONObject): IVersioned | null {
  return typeof args.name === 'string' && args.name
    ? {
        name: args.name,
        version: typeof args.version === 'number' ? args.version : 1
      }
    : null;
}
