import type { JSX } from 'react';

import { useTrans } from '../shared/context';
import type { IModelVersion } from '../shared/contract';
import { Disclosure } from '../shared/Disclosure';
import { Facts } from '../shared/Facts';
import { formatMoment, formatScalar } from '../shared/format';
import { figuresOf, formatFigure } from './figures';
import { LineageList } from './LineageList';

interface IProps {
  version: IModelVersion;
  open: boolean;
}

/** One version: its test figures, parameters and where it comes from. */
export function VersionRow({ version, open }: IProps): JSX.Element {
  const trans = useTrans();
  const figures = figuresOf(version.metrics);
  const headline =
    figures.find(figure => figure.name === 'macro_f1') ?? figures[0];
  return (
    <Disclosure
      level={2}
      open={open}
      label={
        <>
          <span className="eolab-Name">
            {trans.__('Version %1', version.version)}
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
    >
      {() => (
        <>
          {figures.length ? (
            <>
              <h5 className="eolab-Heading">{trans.__('Test figures')}</h5>
              <Facts
                items={figures.map(figure => [
                  figure.name,
                  formatFigure(figure)
                ])}
              />
            </>
          ) : (
            <p className="eolab-None">
              {trans.__('Not tested: register with test=split.test.')}
            </p>
          )}
          <h5 className="eolab-Heading">{trans.__('Parameters')}</h5>
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
