import { useState, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import { Pending } from '../../ui/Pending';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { useStudies } from '../model/studiesToken';
import { ArchiveAndBin } from '../../entities/ArchiveAndBin';
import { EntityItem } from '../../entities/EntityItem';
import { useShown } from '../../entities/entitiesToken';
import { StudyRow } from './StudyRow';

/** A search is shown from this many studies on. */
const MANY = 6;

/** The studies of the workspace, live. */
export function StudiesPanel(): JSX.Element {
  const { commands, trans } = useEolab();
  const studies = useStudies();
  const { data, error, received } = useResource(studies.list);
  const shownAs = useShown('study');
  const [wanted, setWanted] = useState('');
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void studies.list.refresh()} />
    );
  }
  if (!data.studies.length) {
    return (
      <>
        <ArchiveAndBin kinds={['study']} />
        <Notice
          title={trans.__('No study yet.')}
          text={trans.__('Put this in a notebook, over a train function:')}
          code={
            '%load_ext eolab\n\n' +
            '%%tune --metric accuracy --trials 20\n' +
            'def train(data, reporter, *,\n' +
            '          depth: Annotated[int, eo.integer(2, 12)] = 4):\n' +
            '    ...'
          }
        />
      </>
    );
  }
  const word = wanted.trim().toLowerCase();
  const listed = data.studies.filter(study => !shownAs(study.name).archived);
  const shown = listed.filter(study =>
    `${shownAs(study.name).title} ${study.name} ${study.state} ${study.metric}`
      .toLowerCase()
      .includes(word)
  );
  return (
    <>
      <Stale error={error} />
      {data.studies.length >= MANY ? (
        <input
          className="eolab-Search"
          type="search"
          placeholder={trans.__('Search studies')}
          aria-label={trans.__('Search studies')}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
      ) : null}
      <ul className="eolab-List">
        {shown.map(study => (
          <EntityItem key={study.name} kind="study" id={study.name}>
            <StudyRow study={study} received={received} />
          </EntityItem>
        ))}
      </ul>
      {listed.length > 1 && commands.hasCommand(CommandIDs.compareStudies) ? (
        <div className="eolab-Items-foot">
          <button
            className="eolab-Button"
            onClick={() => void commands.execute(CommandIDs.compareStudies)}
          >
            {trans.__('Compare')}
          </button>
        </div>
      ) : null}
      {shown.length || !wanted ? null : (
        <p className="eolab-None">{trans.__('No study fits “%1”.', wanted)}</p>
      )}
      <ArchiveAndBin kinds={['study']} />
    </>
  );
}
