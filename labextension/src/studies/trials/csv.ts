import type { IStudySnapshot, ITrial, Scalar } from '../../server/contract';

/** Trials as CSV (RFC 4180) with full numbers, one column a parameter. */
export function trialsToCsv(
  study: IStudySnapshot,
  trials: readonly ITrial[]
): string {
  const names = study.parameters.map(parameter => parameter.name);
  const head = [
    'trial',
    'state',
    study.metric,
    ...names.map(name => `params.${name}`),
    'last_step',
    'started',
    'ended',
    'attempts',
    'worker',
    'error'
  ];
  const rows = trials.map(trial => [
    trial.number,
    trial.state,
    trial.value,
    ...names.map(name => trial.params[name] ?? null),
    trial.curve[trial.curve.length - 1]?.[0] ?? null,
    iso(trial.started),
    iso(trial.ended),
    trial.attempts,
    trial.worker,
    trial.error
  ]);
  return [head, ...rows].map(row => row.map(cell).join(',')).join('\r\n');
}

function cell(value: Scalar): string {
  if (value === null) {
    return '';
  }
  let text = String(value);
  // A spreadsheet would run a text that begins like a formula.
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) {
    text = `'${text}`;
  }
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time * 1000).toISOString();
}
