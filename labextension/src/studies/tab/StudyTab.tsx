import { useMemo, useState, type JSX } from 'react';

import { useTrans } from '../../context/context';
import { Pending } from '../../ui/Pending';
import { formatScalar } from '../../ui/format';
import { Stale } from '../../ui/Stale';
import { axesOf, isInside, type Brushes } from '../charts/axes';
import { StudyHeader } from '../header/StudyHeader';
import { useStudy } from '../model/useStudy';
import { readFilter } from '../trials/readFilter';
import { TrialDetails } from '../trials/TrialDetails';
import { columnPlan, trialColumns } from '../trials/trialRows';
import { TrialsBar } from '../trials/TrialsBar';
import { TrialsTable } from '../trials/TrialsTable';
import { StudyMenu } from './StudyMenu';
import { StudyPictures } from './StudyPictures';

interface IProps {
  name: string;
}

const NOBODY: ReadonlySet<number> = new Set();
const NOTHING: ReadonlySet<string> = new Set();

/** A study in the main area: everything, with one selection in all pictures. */
export function StudyTab({ name }: IProps): JSX.Element {
  const trans = useTrans();
  const { model, study, error, received, clock, chosen, toggle, choose } =
    useStudy(name);
  const [brushes, setBrushes] = useState<Brushes>({});
  const [filter, setFilter] = useState('');
  const [variant, setVariant] = useState<string | null>(null);
  const [hidden, setHidden] = useState(NOTHING);

  const axes = useMemo(
    () => (study ? axesOf(study, formatScalar) : []),
    [study]
  );
  const test = useMemo(
    () => (study ? readFilter(filter, study, trans) : null),
    [filter, study, trans]
  );
  const trials = useMemo(() => {
    const all = study?.trials ?? [];
    const brushed = Object.keys(brushes).length > 0;
    return all.filter(
      trial =>
        (test?.keeps(trial) ?? true) &&
        (variant === null || trial.params.variant === variant) &&
        (!brushed || isInside(trial, axes, brushes))
    );
  }, [study, test, axes, brushes, variant]);

  if (!study) {
    return <Pending error={error} onRetry={() => void model.refresh()} />;
  }
  const columns = trialColumns(columnPlan(study));
  return (
    <section
      className="eolab-StudyTab"
      // A view of the same study may stand under a cell: two regions need two names.
      aria-label={trans.__('Study %1 in full', study.name)}
      data-details={chosen.size > 0}
    >
      <div className="eolab-StudyTab-main">
        <Stale error={error} />
        <StudyHeader study={study} received={received}>
          <StudyMenu study={study} />
        </StudyHeader>
        <StudyPictures
          study={study}
          axes={axes}
          trials={trials}
          chosen={chosen}
          onChoose={toggle}
          brushes={brushes}
          onBrush={setBrushes}
          clock={clock}
          variant={variant}
          onVariant={setVariant}
        />
        <TrialsBar
          study={study}
          trials={trials}
          columns={columns}
          hidden={hidden}
          onHide={setHidden}
          filter={filter}
          fault={test?.fault ?? null}
          onFilter={setFilter}
          brushed={variant !== null || Object.keys(brushes).length > 0}
          onClear={() => {
            setBrushes({});
            setFilter('');
            setVariant(null);
          }}
        />
        <TrialsTable
          study={study}
          trials={trials}
          clock={clock}
          chosen={chosen}
          onChoose={toggle}
          hidden={hidden}
          maxHeight="100%"
        />
      </div>
      {chosen.size ? (
        <TrialDetails
          study={study}
          trials={study.trials.filter(trial => chosen.has(trial.number))}
          clock={clock}
          onClose={() => choose(NOBODY)}
        />
      ) : null}
    </section>
  );
}
