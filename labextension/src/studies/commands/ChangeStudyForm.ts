import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IStudySummary } from '../../server/contract';

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
  constructor(study: IStudySummary, trans: TranslationBundle) {
    super();
    this.addClass('eolab-Form');
    this._trials = this._add(trans.__('Trials'), study.budget.trials);
    this._workers = this._add(
      trans.__('Workers'),
      Math.max(1, study.workers_alive)
    );
  }

  /** Only what was changed: an ended study says nothing about its workers. */
  getValue(): IStudyChange {
    const trials = changed(this._trials);
    const workers = changed(this._workers);
    return {
      ...(trials === null ? {} : { trials }),
      ...(workers === null ? {} : { workers })
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
    input.defaultValue = String(value);
    label.append(text, input);
    this.node.append(label);
    return input;
  }

  private readonly _trials: HTMLInputElement;
  private readonly _workers: HTMLInputElement;
}

function changed(input: HTMLInputElement): number | null {
  const value = input.valueAsNumber;
  return Number.isInteger(value) && input.value !== input.defaultValue
    ? value
    : null;
}
