import type { JSX } from 'react';

import { useTrans } from '../../context/context';
import { Disclosure } from '../../ui/Disclosure';
import { useCatalog } from '../model/catalogToken';
import { SourceForm } from './SourceForm';

/** A form that names one more catalogue in `eolab.toml`. */
export function AddSource(): JSX.Element {
  const trans = useTrans();
  const catalog = useCatalog();
  return (
    <Disclosure label={trans.__('Add a catalogue')}>
      {() => (
        <SourceForm
          action={trans.__('Add')}
          done={name => trans.__('“%1” was added.', name)}
          onSend={(source, login) => catalog.add(source, login)}
        />
      )}
    </Disclosure>
  );
}
