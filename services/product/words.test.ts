import { expect, test } from '@jest/globals';
import { wordsOf } from './words.ts';

test.each([
  ['Crème Brûlée, 2.5 L', ['creme', 'brulee', '2', '5', 'l']],
  ['tea TEA Tea', ['tea']],
  ["BEANS - CANNED W/MW & 'x'", ['beans', 'canned', 'w', 'mw', 'x']],
  ['İstanbul straße 緑茶', ['istanbul', 'straße', '緑茶']],
  ['!!! & | :*', []],
  ['', []],
])('the words of %p are %p', (text, words) => expect(wordsOf(text)).toEqual(words));

test('a word has an end', () => {
  expect(wordsOf('a'.repeat(300))).toEqual(['a'.repeat(64)]);
  expect(wordsOf(undefined, 'a', undefined)).toEqual(['a']);
});
