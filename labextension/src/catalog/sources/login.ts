import type { TranslationBundle } from '@jupyterlab/translation';

/** How a catalogue lets us in, as its form asks for it; `kept` has no form, and stays as it is. */
export type LoginKind =
  'none' | 'token' | 'header' | 'oauth' | 'sign' | 's3' | 'kept';

/** A login as its form holds it. */
export interface ILoginDraft {
  kind: LoginKind;
  values: Readonly<Record<string, string>>;
  /** Who reads pays, of an object store. */
  pays: boolean;
}

export const NO_LOGIN: ILoginDraft = { kind: 'none', values: {}, pays: false };

/** One field of a login. */
export interface ILoginField {
  /** By what the values are kept. */
  key: string;
  label: string;
  placeholder: string;
  /** A login without it is none. */
  needed: boolean;
}

const SECRET = 'env:NAME or keyring:SERVICE/USER';

/** The logins with their names. */
export function loginKinds(
  trans: TranslationBundle,
  kept: boolean
): readonly (readonly [LoginKind, string])[] {
  const asItIs = ['kept', trans.__('as eolab.toml has it')] as const;
  return [
    ...(kept ? [asItIs] : []),
    ['none', trans.__('none')],
    ['token', trans.__('bearer token')],
    ['header', trans.__('header')],
    ['oauth', trans.__('OAuth2 client')],
    ['sign', trans.__('Planetary Computer signs')],
    ['s3', trans.__('S3 store')]
  ];
}

/** What a login asks for. */
export function loginFields(
  kind: LoginKind,
  trans: TranslationBundle
): readonly ILoginField[] {
  const field = (
    key: string,
    label: string,
    placeholder: string,
    needed = true
  ): ILoginField => ({ key, label, placeholder, needed });
  switch (kind) {
    case 'token':
      return [field('token', trans.__('Where the token is'), SECRET)];
    case 'header':
      return [
        field('header', trans.__('Name of the header'), 'X-Api-Key'),
        field('value', trans.__('Its value, or where it is'), SECRET)
      ];
    case 'oauth':
      return [
        field('client_id', trans.__('Client'), 'id, or env:NAME'),
        field('client_secret', trans.__('Where its secret is'), SECRET),
        field('token_url', trans.__('Token address'), 'https://…/token'),
        field('scope', trans.__('Scope'), '', false)
      ];
    case 's3':
      return [
        field('endpoint', trans.__('Endpoint'), 'empty for AWS', false),
        field('region', trans.__('Region'), 'eu-central-1', false),
        field('profile', trans.__('AWS profile'), 'default', false),
        field('key', trans.__('Or: where the key is'), 'env:NAME', false),
        field('secret', trans.__('Where its secret is'), 'env:NAME', false)
      ];
    default:
      return [];
  }
}

/** A login as the server half takes it. */
export function loginBody(draft: ILoginDraft): Record<string, unknown> {
  const given = Object.fromEntries(
    Object.entries(draft.values).filter(([, value]) => value.trim() !== '')
  );
  switch (draft.kind) {
    case 'sign':
      return { sign: 'planetary-computer' };
    case 'header':
      return { headers: { [given['header'] ?? '']: given['value'] ?? '' } };
    case 's3':
      return {
        s3: { ...given, ...(draft.pays ? { requester_pays: true } : {}) }
      };
    case 'none':
    case 'kept':
      return {};
    default:
      return given;
  }
}

/** The form of a login that the file holds; `kept` where it says more than any form can. */
export function readLogin(login: Record<string, unknown>): ILoginDraft {
  const { headers, s3 } = login as Record<string, Record<string, unknown>>;
  const drafts: ILoginDraft[] = [
    NO_LOGIN,
    { ...NO_LOGIN, kind: 'sign' },
    { ...NO_LOGIN, kind: 'token', values: texts(login, ['token']) },
    { ...NO_LOGIN, kind: 'oauth', values: texts(login, OAUTH) }
  ];
  for (const [header, value] of Object.entries(headers ?? {})) {
    const values = { header, value: String(value) };
    drafts.push({ ...NO_LOGIN, kind: 'header', values });
  }
  if (s3) {
    const pays = s3['requester_pays'] === true;
    drafts.push({ kind: 's3', values: texts(s3, Object.keys(s3)), pays });
  }
  // Only a form that gives back all that the file says may take its place.
  return (
    drafts.find(draft => canonical(loginBody(draft)) === canonical(login)) ?? {
      ...NO_LOGIN,
      kind: 'kept'
    }
  );
}

const OAUTH = ['client_id', 'client_secret', 'token_url', 'scope'];

function texts(
  table: Record<string, unknown>,
  keys: readonly string[]
): Record<string, string> {
  return Object.fromEntries(
    keys
      .map(key => [key, table[key]] as const)
      .filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  );
}

/** Equal for equal tables, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null
      ? Object.fromEntries(Object.entries(part).sort())
      : part
  );
}
