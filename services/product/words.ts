// The words by which a product is found: the same reading for what is stored and what is asked.

/** Characters of a word that count. */
const MOST_LETTERS = 64;

/** Letters and digits in small, without accents, each word once: `Crème 2.5 L` is `creme`, `2`, `5`, `l`. */
export function wordsOf(...texts: readonly (string | undefined)[]): string[] {
  const plain = texts
    .filter(Boolean)
    .join(' ')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '');
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.map((word) => [...word].slice(0, MOST_LETTERS).join('')))];
}
