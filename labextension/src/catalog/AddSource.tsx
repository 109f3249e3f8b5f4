import { useState, type JSX } from 'react';

import { ApiError } from '../shared/apiError';
import { useEolab } from '../shared/context';
import { Disclosure } from '../shared/Disclosure';
import { Failure } from '../shared/Failure';
import { loginBody, loginFields, loginKinds, type LoginKind } from './login';
import type { INewSource } from './model';

const NOTHING: INewSource = {
  name: '',
  url: '',
  kind: 'auto',
  description: ''
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
  const [login, setLogin] = useState<LoginKind>('none');
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [pays, setPays] = useState(false);
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
  const choose = (kind: LoginKind): void => {
    setLogin(kind);
    setSecrets({});
    setPays(false);
  };
  const fields = loginFields(login, trans);
  const complete =
    source.name !== '' &&
    source.url !== '' &&
    fields.every(({ key, needed }) => !needed || secrets[key]);
  const add = async (): Promise<void> => {
    if (!complete) {
      return;
    }
    try {
      await catalog.add(source, loginBody(login, secrets, pays));
      setAdded(source.name);
      setError(null);
      setSource(NOTHING);
      choose('none');
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
          value={login}
          onChange={event => choose(event.target.value as LoginKind)}
        >
          {loginKinds(trans).map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {fields.map(({ key, label, placeholder }) => (
        <label key={`${login}.${key}`}>
          <span>{label}</span>
          <input
            value={secrets[key] ?? ''}
            placeholder={placeholder}
            spellCheck={false}
            onChange={event =>
              setSecrets({ ...secrets, [key]: event.target.value })
            }
          />
        </label>
      ))}
      {login === 's3' ? (
        <label className="eolab-AddSource-check">
          <input
            type="checkbox"
            checked={pays}
            onChange={event => setPays(event.target.checked)}
          />{' '}
          {trans.__('I pay for what is sent (requester pays)')}
        </label>
      ) : null}
      <p className="eolab-mod-quiet">
        {trans.__(
          'It is written into eolab.toml. Secrets stay in the environment or the key store: name where.'
        )}
      </p>
      {error ? <Failure error={error} /> : null}
      {added ? <p role="status">{trans.__('“%1” was added.', added)}</p> : null}
      <button className="eolab-Button" aria-disabled={!complete}>
        {trans.__('Add')}
      </button>
    </form>
  );
}
