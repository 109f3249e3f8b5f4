import type { IStudySnapshot, ITrial, Scalar } from '../../server/contract';
import { shownValue, trialDuration } from './trialRows';

/** Whether a trial is to be shown. */
export type TrialTest = (trial: ITrial) => boolean;

/** A filter expression that cannot be understood, with where and why. */
export class FilterError extends Error {
  constructor(
    readonly kind: 'name' | 'end' | 'token',
    /** What was found where it does not fit. */
    readonly found: string
  ) {
    super(`${kind}: ${found}`);
  }
}

/**
 * Read a filter such as `value > 0.8 and (lr < 1e-3 or state == stopped)`.
 *
 * Comparisons are `<`, `<=`, `>`, `>=`, `==`, `!=` and `~` (contains), joined by `and`, `or`, `not`
 * and brackets. Names are those of the parameters and `n`, `state`, `value` or the metric, `step`,
 * `time` (seconds), `worker`, `attempts`, `error`. A single word is looked for in state, worker,
 * error and parameters. Nothing is ever evaluated as code.
 *
 * @throws FilterError where it cannot be understood.
 */
export function parseFilter(text: string, study: IStudySnapshot): TrialTest {
  const tokens = text.match(TOKENS) ?? [];
  if (!tokens.length) {
    return () => true;
  }
  const [first] = tokens;
  if (tokens.length === 1 && first && WORD.test(first)) {
    return contains(first);
  }
  const parser = new Parser(tokens, study);
  return parser.read();
}

const TOKENS = /"[^"]*"|'[^']*'|<=|>=|==|!=|[<>~()=]|[^\s<>=!~()"']+|[!"']/g;
const WORD = /^[^<>=!~()]+$/;

class Parser {
  constructor(
    private readonly _tokens: readonly string[],
    private readonly _study: IStudySnapshot
  ) {}

  read(): TrialTest {
    const test = this._either();
    if (this._peek() !== undefined) {
      throw new FilterError('token', this._peek() ?? '');
    }
    return test;
  }

  private _either(): TrialTest {
    let left = this._both();
    while (this._take('or')) {
      const [a, b] = [left, this._both()];
      left = trial => a(trial) || b(trial);
    }
    return left;
  }

  private _both(): TrialTest {
    let left = this._single();
    while (this._take('and')) {
      const [a, b] = [left, this._single()];
      left = trial => a(trial) && b(trial);
    }
    return left;
  }

  private _single(): TrialTest {
    if (this._take('not')) {
      const test = this._single();
      return trial => !test(trial);
    }
    if (this._take('(')) {
      const test = this._either();
      if (!this._take(')')) {
        throw new FilterError(
          this._peek() === undefined ? 'end' : 'token',
          this._peek() ?? ''
        );
      }
      return test;
    }
    return this._comparison();
  }

  private _comparison(): TrialTest {
    const name = this._next();
    const read = readerOf(name, this._study);
    if (!read) {
      throw new FilterError('name', name);
    }
    const operator = this._next();
    const compare = OPERATORS[operator];
    if (!compare) {
      throw new FilterError('token', operator);
    }
    const wanted = this._next().replace(/^(["'])(.*)\1$/, '$2');
    return trial => {
      const value = read(trial);
      return value !== null && compare(value, wanted);
    };
  }

  private _peek(): string | undefined {
    return this._tokens[this._at];
  }

  private _next(): string {
    const token = this._peek();
    if (token === undefined) {
      throw new FilterError('end', '');
    }
    this._at += 1;
    return token;
  }

  private _take(word: string): boolean {
    if (this._peek()?.toLowerCase() === word) {
      this._at += 1;
      return true;
    }
    return false;
  }

  private _at = 0;
}

type Comparison = (value: Scalar, wanted: string) => boolean;

const OPERATORS: Record<string, Comparison | undefined> = {
  '<': (value, wanted) => Number(value) < Number(wanted),
  '<=': (value, wanted) => Number(value) <= Number(wanted),
  '>': (value, wanted) => Number(value) > Number(wanted),
  '>=': (value, wanted) => Number(value) >= Number(wanted),
  '==': equals,
  '=': equals,
  '!=': (value, wanted) => !equals(value, wanted),
  '~': (value, wanted) =>
    String(value).toLowerCase().includes(wanted.toLowerCase())
};

function equals(value: Scalar, wanted: string): boolean {
  return typeof value === 'number'
    ? value === Number(wanted)
    : String(value).toLowerCase() === wanted.toLowerCase();
}

function contains(text: string): TrialTest {
  const wanted = text.replace(/["']/g, '').toLowerCase();
  return trial =>
    [
      trial.state,
      trial.worker,
      trial.error,
      ...Object.entries(trial.params).map(
        ([name, value]) => `${name}=${String(value)}`
      )
    ].some(part => part?.toLowerCase().includes(wanted));
}

function readerOf(
  name: string,
  study: IStudySnapshot
): ((trial: ITrial) => Scalar) | null {
  if (
    study.parameters.some(parameter => parameter.name === name) ||
    study.trials.some(trial => name in trial.params)
  ) {
    return trial => trial.params[name] ?? null;
  }
  if (name === study.metric) {
    return shownValue;
  }
  switch (name) {
    case 'n':
    case 'number':
    case 'trial':
      return trial => trial.number;
    case 'state':
      return trial => trial.state;
    case 'value':
      return shownValue;
    case 'step':
      return trial => trial.curve[trial.curve.length - 1]?.[0] ?? null;
    case 'time':
      return trial => trialDuration(trial, study.now);
    case 'worker':
      return trial => trial.worker;
    case 'attempts':
      return trial => trial.attempts;
    case 'error':
      return trial => trial.error;
    default:
      return null;
  }
}
