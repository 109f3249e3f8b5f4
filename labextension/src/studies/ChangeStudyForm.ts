import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IStudySummary } from '../shared/contract';

/** What was changed; absent where it stayed. */
export interface IStudyChange {
  trials?: number;
  workers?: number;
}

/** Two numbers: the budget of trials and the workers. */
export class ChangeStudyForm
  extends Widget
  implements Dialog.IBodyWidget<IStudyChange>
{
  constructor(
    private readonly _study: IStudySummary,
    trans: TranslationBundle
  ) {
    super();
    this.addClass('eolab-Form');
    this._trials = this._add(trans.__('Trials'), _study.budget.trials);
    this._workers = this._add(
      trans.__('Workers'),
      Math.max(1, _study.workers_alive)
    );
  }

  getValue(): IStudyChange {
    const trials = this._trials.valueAsNumber;
    const workers = this._workers.valueAsNumber;
    return {
      ...(Number.isInteger(trials) && trials !== this._study.budget.trials
        ? { trials }
        : {}),
      ...(Number.isInteger(workers) && workers !== this._study.workers_alive
        ? { workers }
        : {})
    };
  }

  private _add(word: string, value: number): HTMLInputElement {
    const label = document.createElement('label');
    const text = document.createElement('span');
    text.textContent = word;
    const input = document.createElement('input');
    input.type = 'number';
    input.min = '1';
    input.max = '100000';
    input.className = 'jp-mod-styled';
    input.value = String(value);
    label.append(text, input);
    this.node.append(label);
    return input;
  }

  private readonly _trials: HTMLInputElement;
  private readonly _workers: HTMLInputElement;
}
