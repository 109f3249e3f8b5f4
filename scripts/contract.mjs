/**
 * The TypeScript types of the REST contract, made from its JSON schema.
 *
 * `node scripts/contract.mjs` writes them (`python scripts/contract.py` the schema too); a unit test
 * compares the file with what the schema gives.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { compile } from 'json-schema-to-typescript';
import * as prettier from 'prettier';

const HERE = new URL('..', import.meta.url);
const SCHEMA = new URL('eolab/server/contract/schema.json', HERE);
const TYPES = new URL('labextension/src/server/contract/types.ts', HERE);

const BANNER = `/* eslint-disable */
/**
 * What the server half takes and answers: made by \`python scripts/contract.py\` from the Python types
 * of the routes (eolab/server/contract). Change those, not this file.
 */`;

/** The text of the types. */
export async function makeTypes() {
  const { api, routes, ...schema } = JSON.parse(await readFile(SCHEMA, 'utf8'));
  const text = await compile(
    { ...schema, additionalProperties: false },
    'Contract',
    {
      bannerComment: `${BANNER}\n\n/** The version of the contract. */\nexport const API_VERSION = ${api};`,
      format: false,
      unreachableDefinitions: true
    }
  );
  const types = text
    // The root stands for nothing: all types are its definitions.
    .replace(/export interface Contract \{\s*\}\n/, '')
    // Remarks of the generator: what it found where, and lengths that the tuple says already.
    .replace(/This interface was referenced by `Contract`'s JSON-Schema/g, '')
    .replace(/via the `definition` "\w+"\./g, '')
    .replace(/@m(in|ax)Items \d+/g, '')
    .replace(/(\n \*\s*)+\n \*\//g, '\n */')
    .replace(/\/\*\*\s*\*\/\n/g, '');
  const style = await prettier.resolveConfig(fileURLToPath(TYPES));
  return prettier.format(types, { ...style, parser: 'typescript' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(TYPES, await makeTypes());
}
