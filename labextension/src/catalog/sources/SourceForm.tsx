import { useEffect, useRef, useState, type JSX } from 'react';

import { CommandIDs } from '../../context/commandIds';
import { useEolab } from '../../context/context';
import { ApiError } from '../../server/apiError';
import { Failure } from '../../ui/Failure';
import { TextField } from '../../ui/fields/TextField';
import type { IOwnCatalog } from '../../server/contract';
import type { CatalogModel, NewSource } from '../model/catalogModel';
import { useCatalog } from '../model/catalogToken';
import {
  loginBody,
  loginFields,
  loginKinds,
  NO_LOGIN,
  readLogin,
  type ILoginDraft,
  type LoginKind
} from './login';

const NOTHING: NewSource = {
  name: '',
  url: '',
  kind: 'auto',
  description: ''
};

interface IProps {
  /** What is changed; nothing for one more. */
  entry?: IOwnCatalog;
  /** What the button says. */
  action: string;
  /** What was done when it is done; empty where the form goes away. */
  done?: (name: string) => string;
  onSend: (source: NewSource, login: object) => Promise<void>;
  onCancel?: () => void;
}

/** What `eolab.toml` says of a catalogue: where it is, and how it lets us in. */
export function SourceForm(props: IProps): JSX.Element {
  const { entry, action, done, onSend, onCancel } = props;
  const { commands, trans } = useEolab();
  const catalog = useCatalog();
  const [source, setSource] = useState<NewSource>(entry ?? NOTHING);
  const first = entry ? readLogin(entry.login) : NO_LOGIN;
  const [login, setLogin] = useState<ILoginDraft>(first);
  const [error, setError] = useState<ApiError | null>(null);
  const [told, setTold] = useState('');
  const [sending, setSending] = useState(false);
  /** A folder that is no catalogue, but holds rasters. */
  const [rasters, setRasters] = useState('');
  const form = useRef<HTMLFormElement>(null);
  // It opens at the end of a list, below what can be seen.
  useEffect(() => {
    form.current?.scrollIntoView({ block: 'start' });
    form.current?.querySelector('input')?.focus({ preventScroll: true });
  }, []);
  const field = (
    name: keyof NewSource,
    label: string,
    placeholder: string
  ): JSX.Element => (
    <TextField
      label={label}
      value={source[name]}
      placeholder={placeholder}
      onChange={value => setSource({ ...source, [name]: value })}
    />
  );
  const fields = loginFields(login.kind, trans);
  const complete =
    source.name !== '' &&
    source.url !== '' &&
    fields.every(({ key, needed }) => !needed || login.values[key]);
  const send = async (): Promise<void> => {
    if (!complete || sending) {
      return;
    }
    setSending(true);
    setRasters('');
    try {
      const { name, url, kind, description } = source;
      await onSend(
        { name, url, kind, description },
        login.kind === 'kept' ? (entry?.login ?? {}) : loginBody(login)
      );
      setTold(done?.(name) ?? '');
      setError(null);
      if (!entry) {
        setSource(NOTHING);
        setLogin(NO_LOGIN);
      }
    } catch (thrown) {
      setTold('');
      const failure = ApiError.from(thrown);
      setError(failure);
      if (failure.status === 400) {
        setRasters(await rastersAt(source.url, catalog));
      }
    } finally {
      setSending(false);
    }
  };
  return (
    // Escape leaves the form from any of its fields.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form
      ref={form}
      className="eolab-SourceForm"
      aria-label={
        entry ? trans.__('Change %1', entry.name) : trans.__('Add a catalogue')
      }
      onKeyDown={event => {
        if (event.key === 'Escape' && onCancel) {
          event.stopPropagation();
          onCancel();
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
    >
      {entry ? null : field('name', trans.__('Name'), 'my-scenes')}
      {field('url', trans.__('Address'), 'https://… or a folder')}
      <label>
        <span>{trans.__('Kind')}</span>
        <select
          value={source.kind}
          onChange={event => setSource({ ...source, kind: event.target.value })}
        >
          <option value="auto">{trans.__('Detect')}</option>
          <option value="api">{trans.__('STAC API')}</option>
          <option value="static">{trans.__('static catalogue')}</option>
          <option value="geoparquet">{trans.__('GeoParquet file')}</option>
        </select>
      </label>
      {field('description', trans.__('Description'), '')}
      <label>
        <span>{trans.__('Login')}</span>
        <select
          value={login.kind}
          onChange={event =>
            setLogin({ ...NO_LOGIN, kind: event.target.value as LoginKind })
          }
        >
          {loginKinds(trans, first.kind === 'kept').map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {fields.map(({ key, label, placeholder }) => (
        <label key={`${login.kind}.${key}`}>
          <span>{label}</span>
          <input
            value={login.values[key] ?? ''}
            placeholder={placeholder}
            spellCheck={false}
            onChange={event =>
              setLogin({
                ...login,
                values: { ...login.values, [key]: event.target.value }
              })
            }
          />
        </label>
      ))}
      {login.kind === 's3' ? (
        <label className="eolab-SourceForm-check">
          <input
            type="checkbox"
            checked={login.pays}
            onChange={event =>
              setLogin({ ...login, pays: event.target.checked })
            }
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
      {rasters ? (
        <button
          type="button"
          className="eolab-Button eolab-mod-main"
          onClick={() =>
            void commands.execute(CommandIDs.addRasters, { paths: [rasters] })
          }
        >
          {trans.__('Add its rasters…')}
        </button>
      ) : null}
      {told ? <p role="status">{told}</p> : null}
      <div className="eolab-SourceForm-actions">
        <button className="eolab-Button" aria-disabled={!complete || sending}>
          {action}
        </button>
        {onCancel ? (
          <button type="button" className="eolab-Button" onClick={onCancel}>
            {trans.__('Cancel')}
          </button>
        ) : null}
      </div>
    </form>
  );
}

/** The folder or file itself where it holds rasters and is no STAC catalogue; else nothing. */
async function rastersAt(url: string, catalog: CatalogModel): Promise<string> {
  if (url.includes('://')) {
    return '';
  }
  try {
    const { rasters, stac } = await catalog.ingests.folder(url);
    return rasters && !stac ? url : '';
  } catch {
    // It lies where the panel may not look: the hint says the way by a notebook.
    return '';
  }
}
