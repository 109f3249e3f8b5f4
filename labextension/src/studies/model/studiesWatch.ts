import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

import type { IStudySummary, StudyState } from '../../server/contract';
import { hasEndedState } from './derive';
import type { StudiesModel } from './studiesModel';

/** Follows the list of studies for the whole application: who runs, and who has just ended. */
export class StudiesWatch implements IDisposable {
  constructor(private readonly _studies: StudiesModel) {
    this._watch = _studies.list.watch();
    _studies.list.changed.connect(this._onChanged, this);
  }

  /** Emitted with a study that was seen active and has come to rest since. */
  get ended(): ISignal<this, IStudySummary> {
    return this._ended;
  }

  /** Emitted when the list changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The studies that are at work or could go on by themselves. */
  get active(): IStudySummary[] {
    return (this._studies.list.state.data?.studies ?? []).filter(
      study => !hasEndedState(study.state)
    );
  }

  get isDisposed(): boolean {
    return this._watch.isDisposed;
  }

  dispose(): void {
    this._watch.dispose();
    this._studies.list.changed.disconnect(this._onChanged, this);
    Signal.clearData(this);
  }

  private _onChanged(): void {
    const { data } = this._studies.list.state;
    if (!data) {
      return;
    }
    const states = new Map<string, StudyState>();
    for (const study of data.studies) {
      // A study made again under its name is another one.
      const key = `${study.name} ${study.created}`;
      states.set(key, study.state);
      const before = this._states.get(key);
      if (before && !hasEndedState(before) && hasEndedState(study.state)) {
        this._ended.emit(study);
      }
    }
    this._states = states;
    this._changed.emit();
  }

  private readonly _watch: IDisposable;
  private readonly _ended = new Signal<this, IStudySummary>(this);
  private readonly _changed = new Signal<this, void>(this);
  private _states = new Map<string, StudyState>();
}
