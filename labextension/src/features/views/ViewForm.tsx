import { useState, type FormEvent, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import { labelOf } from '../../context/names';
import { ApiError } from '../../server/apiError';
import { Failure } from '../../ui/Failure';
import { Pending } from '../../ui/Pending';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { useFeatures } from '../model/featuresToken';
import { FeatureTicks } from './FeatureTicks';
import { LabelChoice } from './LabelChoice';
import {
  countTicked,
  EMPTY,
  formOf,
  lacking,
  tick,
  type IDraft
} from './viewDraft';

/** Make a view: what is predicted, from which features. */
export function ViewForm(): JSX.Element {
  const { commands, trans } = useEolab();
  const features = useFeatures();
  const { data, error } = useResource(features.features);
  const [draft, setDraft] = useState(EMPTY);
  const [fault, setFault] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void features.features.refresh()} />
    );
  }
  const groups = data.groups.filter(group => group.last_commit);
  if (!groups.length) {
    return (
      <Notice
        title={trans.__('There is no feature group with rows yet.')}
        text={trans.__('Insert rows into a group first.')}
      />
    );
  }
  const missing = lacking(draft, trans);
  const change = (next: (last: IDraft) => IDraft): void => {
    // What was said of an earlier form may no longer be so.
    setFault(null);
    setDraft(next);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (missing || busy) {
      return;
    }
    setBusy(true);
    setFault(null);
    try {
      const { name, version } = await features.makeView(formOf(draft, groups));
      setDraft(EMPTY);
      await commands.execute(CommandIDs.openFeatureView, { name, version });
    } catch (thrown) {
      setFault(ApiError.from(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="eolab-ViewForm"
      aria-label={trans.__('A new feature view')}
      onSubmit={event => void submit(event)}
    >
      <Stale error={error} />
      <h2>{trans.__('A new feature view')}</h2>
      <LabelChoice
        groups={groups}
        draft={draft}
        onChange={next => change(() => next)}
      />
      <fieldset>
        <legend>{trans.__('Features')}</legend>
        {groups.map(group => (
          <FeatureTicks
            key={labelOf(group)}
            group={group}
            ticked={draft.ticked.get(labelOf(group)) ?? NONE}
            label={
              draft.labelGroup === labelOf(group) ? draft.labelColumn : null
            }
            onTick={(columns, on) =>
              change(last => tick(last, labelOf(group), columns, on))
            }
          />
        ))}
      </fieldset>
      <fieldset className="eolab-ViewForm-line">
        <legend>{trans.__('The view')}</legend>
        {(
          [
            ['name', trans.__('Name')],
            ['version', trans.__('Version')],
            ['description', trans.__('Description')]
          ] as const
        ).map(([key, word]) => (
          <label key={key} data-wide={key === 'description'}>
            <span>{word}</span>
            <input
              value={draft[key]}
              inputMode={key === 'version' ? 'numeric' : 'text'}
              onChange={event =>
                change(last => ({ ...last, [key]: event.target.value }))
              }
            />
          </label>
        ))}
      </fieldset>
      {fault ? <Failure error={fault} /> : null}
      <div className="eolab-ViewForm-foot">
        <button
          className="eolab-Button eolab-mod-main"
          type="submit"
          aria-disabled={missing !== '' || busy}
          aria-describedby="eolab-ViewForm-word"
        >
          {trans.__('Make the view')}
        </button>
        <span id="eolab-ViewForm-word" role="status">
          {missing || trans._n('1 feature', '%1 features', countTicked(draft))}
        </span>
      </div>
    </form>
  );
}

const NONE: ReadonlySet<string> = new Set();
