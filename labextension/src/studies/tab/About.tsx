import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { useResource, useTrans } from '../../context/context';
import type { IStudySnapshot, Json } from '../../server/contract';
import { Facts } from '../../ui/Facts';
import { Pending } from '../../ui/Pending';
import { formatDuration, formatMoment } from '../../ui/format';
import { EntityLink } from '../../ui/EntityLink';
import { useStudies } from '../model/studiesToken';
import { dedent, inWords, part } from '../text/about';
import { samplerWords, stopWords } from '../text/planWords';
import { NotesEditor } from './NotesEditor';

interface IProps {
  study: IStudySnapshot;
}

/** The function and the data that ran, where they come from, and what people wrote about it. */
export function About({ study }: IProps): JSX.Element {
  const trans = useTrans();
  const studies = useStudies();
  const model = studies.study(study.name);
  const { data, error } = useResource(model.about);
  if (!data) {
    return <Pending error={error} onRetry={() => void model.about.refresh()} />;
  }
  const view = part(data.data, 'source', 'view');
  const parts = part(data.data, 'source', 'report', 'parts');
  return (
    <div className="eolab-About">
      <div>
        <h3 className="eolab-Heading">{trans.__('What ran')}</h3>
        <Facts
          items={[
            [trans.__('Function'), data.function],
            [
              trans.__('Data'),
              view === undefined
                ? kindWord(part(data.data, 'kind'), trans)
                : trans.__(
                    'view %1, version %2',
                    inWords(view),
                    inWords(part(data.data, 'source', 'version'))
                  )
            ],
            [trans.__('Split'), inWords(part(data.data, 'source', 'by'))],
            [trans.__('Samples'), samples(parts)],
            [
              trans.__('Known at'),
              inWords(part(data.data, 'source', 'known_at'))
            ],
            [
              trans.__('Suggestions'),
              samplerWords(part(data.plan, 'sampler'), trans)
            ],
            [trans.__('Early stop'), stopWords(data.stop, trans)],
            [trans.__('Seed'), inWords(data.seed)],
            [trans.__('Retries'), inWords(data.retries)],
            [
              trans.__('Time limit'),
              data.timeout === null ? null : formatDuration(data.timeout)
            ],
            [trans.__('Goal'), inWords(data.target)],
            [trans.__('Runs on'), inWords(part(data.cluster, 'name'))],
            [trans.__('Created'), formatMoment(study.created)]
          ]}
        />
        {data.lineage.upstream.length || data.lineage.downstream.length ? (
          <>
            <h3 className="eolab-Heading">{trans.__('Lineage')}</h3>
            <ul className="eolab-Lineage">
              {data.lineage.upstream.map(({ kind, id }) => (
                <li key={`up ${kind} ${id}`}>
                  <span className="eolab-Badge">{kind}</span>
                  <EntityLink thing={{ kind, id }}>
                    {trans.__('from %1', id)}
                  </EntityLink>
                </li>
              ))}
              {data.lineage.downstream.map(({ kind, id }) => (
                <li key={`down ${kind} ${id}`}>
                  <span className="eolab-Badge">{kind}</span>
                  <EntityLink thing={{ kind, id }}>
                    {trans.__('made %1', id)}
                  </EntityLink>
                </li>
              ))}
            </ul>
          </>
        ) : null}
        <NotesEditor study={study} />
      </div>
      <pre
        // What scrolls must be reachable with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={trans.__('Source of the train function')}
      >
        {data.source
          ? dedent(data.source)
          : trans.__('The source was not kept.')}
      </pre>
    </div>
  );
}

function kindWord(kind: Json | undefined, trans: TranslationBundle): string {
  return kind === 'NoneType' ? trans.__('none') : inWords(kind);
}

/** `train 134, validation 59, test 70`. */
function samples(parts: Json | undefined): string {
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) {
    return '';
  }
  return Object.entries(parts)
    .map(([name, each]) => `${name} ${inWords(part(each, 'samples'))}`)
    .join(', ');
}
