// What a new password has to be: 8 to 128 characters and not one that everybody tries (NIST SP 800-63B section 3.1.1.2).
import { createRequire } from 'node:module';
import { z } from 'zod';
import { type Refusal, refuse } from '#kit/errors';

const SHORTEST = 8;
const LONGEST = 128;

type Words = { readonly dictionary: Readonly<Record<string, readonly string[]>> };
const { dictionary } = createRequire(import.meta.url)('@zxcvbn-ts/language-common') as Words;
const common = new Set(dictionary['passwords-common']?.filter((word) => word.length >= SHORTEST));

/** Characters are counted, not UTF-16 units: no composition rules beyond the length. */
export const NewPassword = z
  .string()
  .max(2 * LONGEST)
  .refine((text) => [...text].length >= SHORTEST && [...text].length <= LONGEST, {
    error: `A password has ${SHORTEST} to ${LONGEST} characters`,
  });

/** The refusal of a password that would be tried first: a common one, or the address or its first part. */
export function weakness(password: string, email: string): Refusal | undefined {
  const word = password.normalize('NFKC').toLowerCase();
  const address = email.toLowerCase();
  const guessable = common.has(word) || word === address || word === address.split('@')[0];
  return guessable ? refuse('PASSWORD_TOO_COMMON') : undefined;
}
