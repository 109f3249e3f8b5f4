import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import { labelOf } from '../../context/names';
import type { IFeatureGroup } from '../../server/contract';
import { featuresOf } from '../model/columns';
import { tick, type IDraft } from './viewDraft';

interface IProps {
  groups: readonly IFeatureGroup[];
  draft: IDraft;
  onChange: (draft: IDraft) => void;
}

/** What a view predicts: one sample a row of the column's group. */
export function LabelChoice(props: IProps): JSX.Element {
  const { groups, draft, onChange } = props;
  const trans = useTrans();
  const group = groups.find(each => labelOf(each) === draft.labelGroup);
  return (
    <fieldset className="eolab-ViewForm-line">
      <legend>{trans.__('What is predicted')}</legend>
      <label>
        <span>{trans.__('Group')}</span>
        <select
          value={draft.labelGroup}
          onChange={event =>
            onChange({
              ...draft,
              labelGroup: event.target.value,
              labelColumn: ''
            })
          }
        >
          <option value="">{trans.__('Choose…')}</option>
          {groups.map(each => (
            <option key={labelOf(each)}>{labelOf(each)}</option>
          ))}
        </select>
      </label>
      <label>
        <span>{trans.__('Column')}</span>
        <select
          value={draft.labelColumn}
          disabled={!group}
          onChange={event => {
            const column = event.target.value;
            // A label among its own features would give itself away.
            onChange({
              ...tick(draft, draft.labelGroup, [column], false),
              labelColumn: column
            });
          }}
        >
          <option value="">{trans.__('Choose…')}</option>
          {group
            ? featuresOf(group).map(column => (
                <option key={column}>{column}</option>
              ))
            : null}
        </select>
      </label>
    </fieldset>
  );
}
