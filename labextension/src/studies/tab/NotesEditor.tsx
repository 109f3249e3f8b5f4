import { useState, type JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import { ApiError } from '../../server/apiError';
import type { IStudySnapshot } from '../../server/contract';
import { failureText, failureTitle } from '../../ui/failureText';
import { useStudies } from '../model/studiesToken';

interface IProps {
  study: IStudySnapshot;
}

interface IDraft {
  text: string;
  /** Which writing it was begun from. */
  seen: number | null;
}

/** Notes beside a study; what two people write at once is not lost unseen. */
export function NotesEditor({ study }: IProps): JSX.Element | null {
  const trans = useTrans();
  const studies = useStudies();
  const model = studies.study(study.name);
  const { data } = useResource(model.notes);
  const [draft, setDraft] = useState<IDraft | null>(null);
  const [fault, setFault] = useState<ApiError | null>(null);
  if (!data) {
    return null;
  }
  const save = async (): Promise<void> => {
    if (!draft) {
      return;
    }
    try {
      await model.writeNotes(draft.text, draft.seen);
      setDraft(null);
      setFault(null);
    } catch (error) {
      setFault(ApiError.from(error));
    }
  };
  return (
    <div className="eolab-Notes">
      <label>
        <span className="eolab-Heading">{trans.__('Notes')}</span>
        <textarea
          rows={3}
          value={draft?.text ?? data.text}
          placeholder={trans.__('What should be known about this study?')}
          onChange={event =>
            setDraft({
              text: event.target.value,
              seen: draft ? draft.seen : data.modified
            })
          }
        />
      </label>
      {fault ? (
        <p className="eolab-TrialsBar-fault" role="alert">
          {`${failureTitle(fault, trans)} ${failureText(fault, trans)}`}
        </p>
      ) : null}
      {draft ? (
        <div className="eolab-Details-actions">
          <button className="eolab-Button" onClick={() => void save()}>
            {trans.__('Save')}
          </button>
          {fault?.status === 409 ? (
            <button
              className="eolab-Button"
              onClick={() => {
                // Keep both: theirs first, then what was written here.
                void model.notes.refresh().then(() => {
                  const theirs = model.notes.state.data;
                  if (theirs) {
                    setDraft({
                      text: `${theirs.text}\n\n${draft.text}`,
                      seen: theirs.modified
                    });
                    setFault(null);
                  }
                });
              }}
            >
              {trans.__('Put both together')}
            </button>
          ) : null}
          <button
            className="eolab-Button"
            onClick={() => {
              setDraft(null);
              setFault(null);
            }}
          >
            {trans.__('Discard')}
          </button>
        </div>
      ) : null}
    </div>
  );
}
