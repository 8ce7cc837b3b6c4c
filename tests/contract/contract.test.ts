// The committed OpenAPI document is what the code makes; `npm run contract` writes it, and tells what would break.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from '../../stack/layout.ts';
import { breaks, type Json } from './breaks.ts';
import { COMMITTED, documentOfTheCode } from './document.ts';

test('the document that clients were given is what the code makes, and no client breaks', async () => {
  const committed = JSON.parse(readFileSync(join(root, COMMITTED), 'utf8')) as Json;
  const now = await documentOfTheCode();
  expect(breaks(committed, now)).toEqual([]);
  // Different and no break: `npm run contract` writes the new one.
  expect(now).toEqual(committed);
});
