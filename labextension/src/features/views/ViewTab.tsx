import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type JSX } from 'react';

import { Figure } from '../../charts/Figure';
import { useResource, useTrans } from '../../context/context';
import { labelOf } from '../../context/names';
import type { IFeatureView } from '../../server/contract/types';
import { Pending } from '../../ui/Pending';
import { formatCount, formatMoment } from '../../ui/format';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import { Tabs } from '../../ui/Tabs';
import { CodeMenu } from '../buttons/CodeMenu';
import { Lineage } from '../lineage/Lineage';
import { useFeatures } from '../model/featuresToken';
import { DatasetTable } from './DatasetTable';
import { ViewColumns } from './ViewColumns';

interface IProps {
  name: string;
  version: number;
}

type Picture = 'features' | 'datasets' | 'lineage';

function taskName(task: Task, trans: TranslationBundle): string {
  switch (task) {
    case 'classification':
      return trans.__('classification');
    case 'regression':
      return trans.__('regression');
  }
}

function stepsText(steps: ISteps, trans: TranslationBundle): string {
  const { every, start, end, last } = steps;
  return last
    ? trans.__('last %1, every %2', last, every)
    : trans.__('every %1 from %2 to %3', every, start, end);
}

type Task = NonNullable<IFeatureView['task']>;
type ISteps = NonNullable<IFeatureView['steps']>;

/** A feature view in the main area: its features, training datasets and lineage. */
export function ViewTab({ name, version }: IProps): JSX.Element {
  const trans = useTrans();
  const features = useFeatures();
  const { data, error } = useResource(features.features);
  const [active, setActive] = useState<Picture>('features');
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void features.features.refresh()} />
    );
  }
  const view = data.views.find(
    each => each.name === name && each.version === version
  );
  const label = labelOf({ name, version });
  if (!view) {
    return (
      <Notice
        tone="error"
        title={trans.__('There is no feature view %1.', label)}
        text={trans.__('It may belong to another workspace.')}
      />
    );
  }
  const about = { kind: 'view', name, version };
  return (
    <section
      className="eolab-FeatureTab"
      aria-label={trans.__('Feature view %1', label)}
    >
      <Stale error={error} />
      <header className="eolab-FeatureHeader">
        <div className="eolab-FeatureHeader-title">
          <h2 className="eolab-Name" title={label}>
            {name}
          </h2>
          <span className="eolab-Badge">{`v${version}`}</span>
          <span className="eolab-FeatureHeader-actions">
            <CodeMenu
              entries={[
                [trans.__('Open'), { ...about, what: 'open' }],
                [trans.__('Read'), { ...about, what: 'read' }],
                [trans.__('Training data'), { ...about, what: 'training' }],
                [
                  trans.__('Split and save a training dataset'),
                  { ...about, what: 'split' }
                ]
              ]}
            />
          </span>
        </div>
        {view.description ? (
          <p className="eolab-FeatureHeader-text">{view.description}</p>
        ) : null}
        <div className="eolab-Figures">
          <Figure
            name={trans.__('Label')}
            value={view.labels.join(', ') || '–'}
            detail={
              view.task
                ? trans.__(
                    '%1: one sample a row of %2',
                    taskName(view.task, trans),
                    view.label_group
                  )
                : trans.__('one sample a row of %1', view.label_group)
            }
            wide
          />
          <Figure
            name={trans.__('Features')}
            value={formatCount(view.features)}
            detail={
              view.steps
                ? stepsText(view.steps, trans)
                : trans.__('one value a sample')
            }
          />
          <Figure
            name={trans.__('Training datasets')}
            value={formatCount(view.datasets.length)}
            detail=""
          />
          <Figure
            name={trans.__('Created')}
            value={formatMoment(view.created)}
            detail=""
          />
        </div>
      </header>
      <Tabs<Picture>
        label={trans.__('What the view holds')}
        tabs={[
          ['features', trans.__('Features')],
          ['datasets', trans.__('Training datasets')],
          ['lineage', trans.__('Lineage')]
        ]}
        active={active}
        onChange={setActive}
      >
        {tab => {
          switch (tab) {
            case 'features':
              return <ViewColumns view={view} groups={data.groups} />;
            case 'datasets':
              return <DatasetTable view={view} />;
            case 'lineage':
              return <Lineage kind="view" id={label} />;
          }
        }}
      </Tabs>
    </section>
  );
}
