import type { JSX } from 'react';

import { useEolab } from '../../context/context';
import { Disclosure } from '../../ui/Disclosure';
import { SourceForm } from './SourceForm';

/** A form that names one more catalogue in `eolab.toml`. */
export function AddSource(): JSX.Element {
  const { catalog, trans } = useEolab();
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
