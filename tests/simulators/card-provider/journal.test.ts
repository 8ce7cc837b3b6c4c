import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBook } from './book.ts';
import { openJournal, type Place } from './journal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('lines longer and shorter than what is read at once come back whole', () => {
  const file = join(folder, 'long.jsonl');
  const lines = ['a', 'ä'.repeat(3_000_000), 'b', 'c'.repeat(1_048_575), 'd'];
  const written = openJournal(file, () => {});
  for (const line of lines) written.append(line);
  written.close();
  const read: string[] = [];
  const places: Place[] = [];
  const journal = openJournal(file, (line, place) => {
    read.push(line);
    places.push(place);
  });
  expect(read.map((line, index) => line === lines[index])).toEqual([true, true, true, true, true]);
  expect(places.map((place, index) => journal.read(place) === lines[index])).toEqual([true, true, true, true, true]);
  journal.close();
});

test('a last line that a kill cut off is dropped', async () => {
  const file = join(folder, 'cut.jsonl');
  const book = openBook(file);
  book.append({ at: 1, kept: { key: 'k', request: 'r', requestId: 'req', status: 200, body: {} } });
  book.close();
  const whole = await readFile(file, 'utf8');
  await appendFile(file, '{"at":2,"kept":{"key":"torn');
  const again = openBook(file);
  expect(again.kept('k')).toMatchObject({ request: 'r' });
  expect(again.kept('torn')).toBeUndefined();
  again.close();
  expect(await readFile(file, 'utf8')).toBe(whole);
});
