// The wait of the conformance tests. Patient: a loaded machine makes everything slow, and nothing wrong.
import { eventually } from '../client/eventually.ts';

/** Polls until the condition holds; one that throws does not hold yet. @throws {NeverHappened} after `milliseconds`. */
export async function until(condition: () => Promise<boolean> | boolean, milliseconds = 45_000): Promise<void> {
  await eventually(condition, { within: milliseconds, every: 25, what: String(condition) });
}
