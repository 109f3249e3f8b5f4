import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSX } from 'react';

import { useTrans } from '../context/context';
import type { IModelVersion } from '../server/contract';
import { EntityButton } from '../entities/EntityButton';
import { useShown } from '../entities/entitiesToken';
import { Disclosure } from '../ui/Disclosure';
import { Facts } from '../ui/Facts';
import { formatCount, formatMoment, formatScalar } from '../ui/format';
import { figuresOf, formatFigure, studyFigures } from './figures';
import { LineageList } from './LineageList';

interface IProps {
  version: IModelVersion;
  /** As it is named elsewhere: model and number. */
  id: string;
  open: boolean;
}

/** One version: its test figures, parameters and where it comes from. */
export function VersionRow({ version, id, open }: IProps): JSX.Element {
  const trans = useTrans();
  const { metrics } = version;
  const { title } = useShown('model')(id);
  const figures = figuresOf(metrics);
  const inStudy = studyFigures(metrics);
  const headline =
    figures.find(figure => figure.name === 'macro_f1') ?? figures[0];
  return (
    <Disclosure
      level={2}
      open={open}
      label={
        <>
          <span className="eolab-Name">
            {title
              ? trans.__('Version %1: %2', version.version, title)
              : trans.__('Version %1', version.version)}
          </span>
          {version.aliases.map(alias => (
            <span className="eolab-Badge eolab-mod-alias" key={alias}>
              {alias}
            </span>
          ))}
        </>
      }
      detail={[
        headline ? `${headline.name} ${formatFigure(headline)}` : null,
        version.flavour
      ]
        .filter(Boolean)
        .join(' · ')}
      actions={<EntityButton kind="model" id={id} />}
    >
      {() => (
        <>
          {version.description ? (
            <p className="eolab-Text">{version.description}</p>
          ) : null}
          {figures.length ? (
            <>
              <h4 className="eolab-Heading">{trans.__('Test metrics')}</h4>
              <Facts
                items={[
                  ...figures.map(
                    figure => [figure.name, formatFigure(figure)] as const
                  ),
                  [trans.__('tested on'), testedOn(metrics, trans)],
                  [
                    trans.__('held-out test set'),
                    typeof metrics['test_openings'] === 'number'
                      ? trans._n(
                          'evaluated once',
                          'evaluated %1 times',
                          metrics['test_openings']
                        )
                      : null
                  ]
                ]}
              />
            </>
          ) : (
            <p className="eolab-None">
              {trans.__('Not tested: register with test=split.test.')}
            </p>
          )}
          {inStudy.length ? (
            <>
              <h4 className="eolab-Heading">{trans.__('In the study')}</h4>
              <Facts
                items={inStudy.map(figure => [
                  figure.name,
                  formatFigure(figure)
                ])}
              />
            </>
          ) : null}
          <h4 className="eolab-Heading">{trans.__('Parameters')}</h4>
          <Facts
            items={[
              ...Object.entries(version.params).map(
                ([name, value]) => [name, formatScalar(value)] as const
              ),
              [trans.__('registered'), formatMoment(version.created)]
            ]}
          />
          <LineageList version={version} />
        </>
      )}
    </Disclosure>
  );
}

function testedOn(
  metrics: IModelVersion['metrics'],
  trans: TranslationBundle
): string | null {
  const samples = metrics['test_samples'] ?? null;
  const units = metrics['test_units'] ?? null;
  if (samples === null) {
    return null;
  }
  return units === null
    ? trans.__('%1 samples', formatCount(samples))
    : trans.__(
        '%1 samples in %2 blocks',
        formatCount(samples),
        formatCount(units)
      );
}
