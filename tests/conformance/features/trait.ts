// A check whose outcome belongs to the set: named so that the test's name is a row of the matrix and its cell.
import { test } from '@jest/globals';
import { BY_DESIGN, CELL } from './cell.ts';

/**
 * Registers a test named `<row> → <value>`. `check` asserts the set's own value. With `relied`, a set of another value
 * shows in the matrix as one that the kit must not be used on.
 */
export function trait<T>(row: string, value: T, check: (value: T) => Promise<void>, relied: T = value): void {
  const words = Array.isArray(value) ? value.join(', ') : String(value);
  test(`${row}${CELL}${value === relied ? '' : BY_DESIGN}${words}`, () => check(value));
}
