import { useMemo, useState, type JSX } from 'react';

import { Chart, type IDrawing } from '../../charts/Chart';
import { CommandIDs } from '../../context/commandIds';
import { useEolab, useResource } from '../../context/context';
import type { IStudySummary } from '../../server/contract';
import { Pending } from '../../ui/Pending';
import { formatCount, formatDuration, formatValue } from '../../ui/format';
import { Notice } from '../../ui/Notice';
import { Stale } from '../../ui/Stale';
import type { IPalette } from '../../ui/theme';
import { alignBest } from '../charts/histories';
import { timeAxis } from '../charts/timeAxis';
import { StateChip } from '../header/StateChip';
import { doneTrials, elapsed } from '../model/derive';
import { useStudies } from '../model/studiesToken';
import { studyStateWord } from '../text/words';

/** How many are compared before somebody chooses. */
const FIRST = 4;

const COLOURS = ['accent', 'warn', 'good', 'bad', 'text', 'line'] as const;

/** Studies beside each other: their figures, and the best value over the time. */
export function CompareTab(): JSX.Element {
  const { commands, trans } = useEolab();
  const studies = useStudies();
  const { data, error, received } = useResource(studies.list);
  const [picked, setPicked] = useState<ReadonlySet<string> | null>(null);
  const all = useMemo(() => data?.studies ?? [], [data]);
  const chosen = useMemo(() => picked ?? firstChoice(all), [picked, all]);
  const shown = useMemo(
    () => all.filter(study => chosen.has(study.name)),
    [all, chosen]
  );
  const drawing = useMemo(
    () => draw(shown, trans.__('time since the start')),
    [shown, trans]
  );
  if (!data) {
    return (
      <Pending error={error} onRetry={() => void studies.list.refresh()} />
    );
  }
  if (!all.length) {
    return <Notice title={trans.__('There is no study yet.')} />;
  }
  const metrics = new Set(shown.map(study => study.metric));
  return (
    <section
      className="eolab-Compare"
      aria-label={trans.__('Studies compared')}
    >
      <Stale error={error} />
      <figure>
        <figcaption>
          {metrics.size > 1
            ? trans.__(
                'Best so far. Careful: the metrics differ (%1).',
                [...metrics].join(', ')
              )
            : trans.__('Best %1 so far', [...metrics].join(''))}
        </figcaption>
        <Chart
          drawing={drawing}
          label={trans.__('Best so far of %1 studies', shown.length)}
          height={240}
          tip={(series, index) => {
            const study = shown[series - 1];
            return study
              ? {
                  title: study.name,
                  lines: [
                    [
                      trans.__('After'),
                      formatDuration(drawing.data[0][index] ?? null)
                    ],
                    [
                      trans.__('Best %1', study.metric),
                      formatValue(drawing.data[series]?.[index])
                    ]
                  ]
                }
              : null;
          }}
          onPick={series => {
            const study = shown[series - 1];
            if (study) {
              void commands.execute(CommandIDs.openStudy, { name: study.name });
            }
          }}
        />
      </figure>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Study')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Metric')}</th>
            <th scope="col" data-numeric>
              {trans.__('Best')}
            </th>
            <th scope="col" data-numeric>
              {trans.__('Trials')}
            </th>
            <th scope="col" data-numeric>
              {trans.__('Elapsed')}
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map(study => {
            const place = shown.indexOf(study);
            return (
              <tr key={study.name}>
                <td>
                  <label>
                    <input
                      type="checkbox"
                      checked={place >= 0}
                      onChange={() => {
                        const next = new Set(chosen);
                        if (!next.delete(study.name)) {
                          next.add(study.name);
                        }
                        setPicked(next);
                      }}
                    />
                    <span
                      className="eolab-Compare-swatch"
                      data-colour={
                        place >= 0 ? COLOURS[place % COLOURS.length] : 'none'
                      }
                      aria-hidden="true"
                    />
                    <span className="eolab-Hidden">
                      {trans.__('Compare %1', study.name)}
                    </span>
                  </label>
                  <button
                    className="eolab-Link"
                    onClick={() =>
                      void commands.execute(CommandIDs.openStudy, {
                        name: study.name
                      })
                    }
                  >
                    {study.name}
                  </button>
                </td>
                <td>
                  <StateChip
                    state={study.state}
                    word={studyStateWord(study.state, trans)}
                  />
                </td>
                <td>{study.metric}</td>
                <td data-numeric>{formatValue(bestOf(study))}</td>
                <td data-numeric>
                  {trans.__(
                    '%1 of %2',
                    formatCount(doneTrials(study)),
                    formatCount(study.budget.trials)
                  )}
                </td>
                <td data-numeric>
                  {formatDuration(elapsed(study, received, received))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The best value of a study; an ablation has none: the best of its runs is luck. */
function bestOf(study: IStudySummary): number | null {
  return study.kind === 'ablation' ? null : (study.best?.value ?? null);
}

/** The newest studies that have a value, of the metric that the newest of them has. */
function firstChoice(all: readonly IStudySummary[]): ReadonlySet<string> {
  const valued = all.filter(study => bestOf(study) !== null);
  return new Set(
    valued
      .filter(study => study.metric === valued[0]?.metric)
      .slice(0, FIRST)
      .map(study => study.name)
  );
}

function draw(studies: readonly IStudySummary[], time: string): IDrawing {
  const colour = (place: number, palette: IPalette): string =>
    palette[COLOURS[place % COLOURS.length] ?? 'text'];
  return {
    data: alignBest(studies),
    shape: studies.map(study => study.name).join('\n'),
    options: (palette, UPlot) => ({
      legend: { show: false },
      cursor: {
        y: false,
        focus: { prox: 24 },
        points: { show: false },
        drag: { x: false, y: false }
      },
      focus: { alpha: 0.3 },
      // Room for half of the last time under the axis.
      padding: [8, 32, 0, 0],
      scales: { x: { time: false } },
      axes: [
        timeAxis(palette, time),
        {
          size: 52,
          font: palette.font,
          stroke: palette.quiet,
          grid: { stroke: palette.grid, width: 1 },
          ticks: { show: false },
          values: (_, ticks) => ticks.map(tick => formatValue(tick))
        }
      ],
      series: [
        {},
        ...studies.map((study, place) => ({
          label: study.name,
          stroke: colour(place, palette),
          width: 2,
          dash: place >= COLOURS.length ? [5, 3] : [],
          spanGaps: true,
          paths: UPlot.paths.stepped?.({ align: 1 }),
          points: { show: false }
        }))
      ]
    })
  };
}
