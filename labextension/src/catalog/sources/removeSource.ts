import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';

import type { IEolab } from '../../context/tokens';
import { ApiError } from '../../server/apiError';
import type { IOwnCatalog, IRemovedCatalog } from '../../server/contract';
import { tellFailure } from '../../ui/tellFailure';
import { ICatalogModel } from '../model/catalogToken';

/** Take a catalogue out of `eolab.toml` after a question; it can be had back. */
export async function removeSource(name: string, eolab: IEolab): Promise<void> {
  const { trans } = eolab;
  const catalog = eolab.model(ICatalogModel);
  let entry: IOwnCatalog;
  try {
    entry = await catalog.entry(name);
  } catch (thrown) {
    tellFailure(ApiError.from(thrown), trans);
    return;
  }
  const secrets = entry.secrets.map(plain).join(', ');
  const answer = await showDialog({
    title: trans.__('Remove the catalogue “%1”?', name),
    body: trans.__(
      'It is taken out of eolab.toml and searched no more. No file is deleted; saved searches stay.'
    ),
    ...(secrets
      ? {
          checkbox: {
            label: trans.__('Delete from the key store too: %1', secrets),
            checked: true
          }
        }
      : {}),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Remove') })
    ]
  });
  if (!answer.button.accept) {
    return;
  }
  let removed: IRemovedCatalog;
  try {
    removed = await catalog.remove(name, answer.isChecked === true);
  } catch (thrown) {
    tellFailure(ApiError.from(thrown), trans);
    return;
  }
  const said = [trans.__('“%1” was removed.', name)];
  if (removed.secrets.length) {
    const gone = removed.secrets.map(plain).join(', ');
    said.push(trans.__('Deleted from the key store: %1.', gone));
  }
  const faults = removed.left.map(plain).join(', ');
  if (faults) {
    said.push(trans.__('Still in the key store: %1.', faults));
  }
  Notification.emit(said.join(' '), faults ? 'warning' : 'success', {
    autoClose: 12_000,
    actions: [
      {
        label: trans.__('Undo'),
        callback: () => {
          catalog
            .add(removed.was, {})
            .catch((thrown: unknown) =>
              tellFailure(ApiError.from(thrown), trans)
            );
        }
      }
    ]
  });
}

/** The name of a secret without the word that says where it is. */
function plain(reference: string): string {
  return reference.replace(/^keyring:/, '');
}
