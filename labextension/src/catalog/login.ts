import type { TranslationBundle } from '@jupyterlab/translation';

/** How a catalogue lets us in, as its form asks for it. */
export type LoginKind = 'none' | 'token' | 'header' | 'oauth' | 'sign' | 's3';

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
  trans: TranslationBundle
): readonly (readonly [LoginKind, string])[] {
  return [
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
export function loginBody(
  kind: LoginKind,
  values: Readonly<Record<string, string>>,
  pays: boolean
): Record<string, unknown> {
  const given = Object.fromEntries(
    Object.entries(values).filter(([, value]) => value.trim() !== '')
  );
  switch (kind) {
    case 'sign':
      return { sign: 'planetary-computer' };
    case 'header':
      return { headers: { [given['header'] ?? '']: given['value'] ?? '' } };
    case 's3':
      return { s3: { ...given, ...(pays ? { requester_pays: true } : {}) } };
    case 'none':
      return {};
    default:
      return given;
  }
}
