// @vitest-environment node
import ts from 'typescript';
import { expect, it } from 'vitest';

import { makeTypes } from '../../../scripts/contract.mjs';

it('the types of the contract are those that its schema gives', async () => {
  const path = `${ts.sys.getCurrentDirectory()}/labextension/src/server/contract/types.ts`;
  expect(ts.sys.readFile(path)).toBe(await makeTypes());
});
