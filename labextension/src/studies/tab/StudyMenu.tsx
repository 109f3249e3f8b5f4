import type { JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import type { IStudySummary } from '../../server/contract';

interface IProps {
  study: IStudySummary;
}

/** What else can be done with a study. */
export function StudyMenu({ study }: IProps): JSX.Element {
  const { commands, trans } = useEolab();
  const { name } = study;
  const entries: [string, string, { [key: string]: string }][] = [
    [trans.__('Change trials and workers…'), CommandIDs.changeStudy, { name }],
    [trans.__('Open TensorBoard'), CommandIDs.openTensorBoard, { name }],
    [
      trans.__('Insert code: attach'),
      CommandIDs.insertCode,
      { name, what: 'attach' }
    ],
    ...(study.kind === 'ablation'
      ? ([
          [
            trans.__('Insert code: table of effects'),
            CommandIDs.insertCode,
            { name, what: 'effects' }
          ]
        ] as [string, string, { [key: string]: string }][])
      : ([
          [
            trans.__('Insert code: best parameters'),
            CommandIDs.insertCode,
            { name, what: 'best' }
          ],
          [
            trans.__('Insert code: refit and register'),
            CommandIDs.insertCode,
            { name, what: 'refit' }
          ]
        ] as [string, string, { [key: string]: string }][])),
    [
      trans.__('Insert code: trials as a data frame'),
      CommandIDs.insertCode,
      { name, what: 'trials' }
    ]
  ];
  return (
    <details className="eolab-Menu" data-side="right">
      <summary className="eolab-Button">{trans.__('More')}</summary>
      <div className="eolab-Menu-body">
        {entries.map(([word, command, args]) => (
          <button
            key={word}
            onClick={event => {
              event.currentTarget.closest('details')?.removeAttribute('open');
              void commands.execute(command, args);
            }}
          >
            {word}
          </button>
        ))}
      </div>
    </details>
  );
}
