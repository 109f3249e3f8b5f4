import { useEffect, useMemo, useRef, useState, type JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot, ITrial } from '../../server/contract';
import { Failure } from '../../ui/Failure';
import { Loading } from '../../ui/Loading';
import { useStudies } from '../model/studiesToken';

interface IProps {
  study: IStudySnapshot;
  trial: ITrial;
}

/** What a trial printed, live while it runs, with a search. */
export function TrialLog({ study, trial }: IProps): JSX.Element {
  const trans = useTrans();
  const studies = useStudies();
  const log = useMemo(
    () => studies.log(study.name, trial.number),
    [studies, study.name, trial.number]
  );
  const { data, error } = useResource(log);
  const [wanted, setWanted] = useState('');
  const end = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);

  // A new attempt or an end brings the last lines.
  useEffect(() => log.invalidate(), [log, trial.state, trial.attempts]);
  useEffect(() => () => log.dispose(), [log]);
  useEffect(() => {
    if (end.current && atEnd.current) {
      end.current.scrollTop = end.current.scrollHeight;
    }
  }, [data]);

  const lines = useMemo(() => {
    const all = (data?.text ?? '').split('\n');
    const word = wanted.toLowerCase();
    return word ? all.filter(line => line.toLowerCase().includes(word)) : all;
  }, [data, wanted]);

  const found = lines.filter(Boolean).length;
  const nothing = wanted
    ? trans.__('No line has “%1”.', wanted)
    : trans.__('(nothing)');

  if (!data) {
    if (!error) {
      return <Loading />;
    }
    return error.status === 404 ? (
      <p className="eolab-None">{trans.__('It has printed nothing yet.')}</p>
    ) : (
      <Failure error={error} onRetry={() => void log.refresh()} />
    );
  }
  return (
    <div className="eolab-Log">
      <div className="eolab-Log-head">
        <h4>{trans.__('Log')}</h4>
        {wanted ? (
          <span className="eolab-TrialsBar-count" role="status">
            {trans._n('1 line', '%1 lines', found)}
          </span>
        ) : null}
        <input
          type="search"
          placeholder={trans.__('Find in the log')}
          aria-label={trans.__('Find in the log')}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
      </div>
      {data.truncated ? (
        <p className="eolab-None">
          {trans.__(
            'Only the end is shown; the whole log is in the run folder.'
          )}
        </p>
      ) : null}
      <pre
        ref={end}
        // What scrolls must be reachable with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="log"
        aria-label={trans.__('Log of trial %1', trial.number)}
        onScroll={event => {
          const node = event.currentTarget;
          atEnd.current =
            node.scrollHeight - node.scrollTop - node.clientHeight < 20;
        }}
      >
        {found ? (wanted ? marked(lines, wanted) : lines.join('\n')) : nothing}
      </pre>
    </div>
  );
}

/** More marks than this are only slow. */
const MARKS = 500;

/** Lines with what was looked for marked in them. */
function marked(lines: readonly string[], wanted: string): JSX.Element[] {
  const word = wanted.toLowerCase();
  return lines.map((line, place) => {
    const at = line.toLowerCase().indexOf(word);
    return (
      // Lines may be the same: only their place tells them apart.
      <span key={place}>
        {place > MARKS || at < 0 ? (
          line
        ) : (
          <>
            {line.slice(0, at)}
            <mark>{line.slice(at, at + word.length)}</mark>
            {line.slice(at + word.length)}
          </>
        )}
        {'\n'}
      </span>
    );
  });
}
