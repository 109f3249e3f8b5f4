import { useState, type JSX } from 'react';

import { ApiError } from '../shared/apiError';
import { useEolab } from '../shared/context';
import { Disclosure } from '../shared/Disclosure';
import { Failure } from '../shared/Failure';
import type { INewSource } from './model';

const NOTHING: INewSource = {
  name: '',
  url: '',
  kind: 'auto',
  description: '',
  token: '',
  sign: ''
};

/** A form that names one more catalogue in `eolab.toml`. */
export function AddSource(): JSX.Element {
  const { trans } = useEolab();
  return (
    <Disclosure label={trans.__('Add a catalogue')}>
      {() => <SourceForm />}
    </Disclosure>
  );
}

function SourceForm(): JSX.Element {
  const { catalog, trans } = useEolab();
  const [source, setSource] = useState(NOTHING);
  const [error, setError] = useState<ApiError | null>(null);
  const [added, setAdded] = useState('');
  const field = (
    name: keyof INewSource,
    label: string,
    placeholder: string
  ): JSX.Element => (
    <label>
      <span>{label}</span>
      <input
        value={source[name]}
        placeholder={placeholder}
        spellCheck={false}
        onChange={event => setSource({ ...source, [name]: event.target.value })}
      />
    </label>
  );
  const add = async (): Promise<void> => {
    try {
      await catalog.add(source);
      setAdded(source.name);
      setError(null);
      setSource(NOTHING);
    } catch (thrown) {
      setAdded('');
      setError(ApiError.from(thrown));
    }
  };
  return (
    <form
      className="eolab-AddSource"
      aria-label={trans.__('Add a catalogue')}
      onSubmit={event => {
        event.preventDefault();
        void add();
      }}
    >
      {field('name', trans.__('Name'), 'my-scenes')}
      {field('url', trans.__('Address'), 'https://… or a folder')}
      <label>
        <span>{trans.__('Kind')}</span>
        <select
          value={source.kind}
          onChange={event => setSource({ ...source, kind: event.target.value })}
        >
          <option value="auto">{trans.__('find out')}</option>
          <option value="api">{trans.__('STAC API')}</option>
          <option value="static">{trans.__('static catalogue')}</option>
          <option value="geoparquet">{trans.__('GeoParquet file')}</option>
        </select>
      </label>
      {field('description', trans.__('Description'), '')}
      <label>
        <span>{trans.__('Login')}</span>
        <select
          value={source.sign ? 'sign' : source.token ? 'token' : ''}
          onChange={event =>
            setSource({
              ...source,
              token: event.target.value === 'token' ? 'env:' : '',
              sign: event.target.value === 'sign' ? 'planetary-computer' : ''
            })
          }
        >
          <option value="">{trans.__('none')}</option>
          <option value="token">{trans.__('bearer token')}</option>
          <option value="sign">{trans.__('Planetary Computer signs')}</option>
        </select>
      </label>
      {source.token
        ? field(
            'token',
            trans.__('Where the token is'),
            'env:NAME or keyring:SERVICE/USER'
          )
        : null}
      <p className="eolab-mod-quiet">
        {trans.__(
          'It is written into eolab.toml, where more can be said of its login. Secrets stay in the environment or the key store.'
        )}
      </p>
      {error ? <Failure error={error} /> : null}
      {added ? <p role="status">{trans.__('“%1” was added.', added)}</p> : null}
      <button
        className="eolab-Button"
        aria-disabled={!source.name || !source.url}
      >
        {trans.__('Add')}
      </button>
    </form>
  );
}
