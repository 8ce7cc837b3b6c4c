// The OpenAPI document is what the code makes, and breaks no client of the one that was committed last.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from '../../stack/layout.ts';
import { breaks, type Json } from './breaks.ts';
import { COMMITTED, committed, documentOfTheCode, RECORD } from './document.ts';

test('what breaks a client of the last committed document is on record, with its reason', async () => {
  const record = readFileSync(join(root, RECORD), 'utf8');
  const found = breaks(committed(), await documentOfTheCode());
  expect(found.filter((each) => !record.includes(`- ${each}\n`))).toEqual([]);
});

test('the document that clients are given is what the code makes: `npm run contract` writes it', async () => {
  expect(JSON.parse(readFileSync(join(root, COMMITTED), 'utf8')) as Json).toEqual(await documentOfTheCode());
});
