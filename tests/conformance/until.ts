import { setTimeout as pause } from 'node:timers/promises';

/** Polls until the condition holds. Patient: a loaded machine makes everything slow, and nothing wrong. @throws after `milliseconds`. */
export async function until(condition: () => Promise<boolean> | boolean, milliseconds = 20_000): Promise<void> {
  const end = Date.now() + milliseconds;
  for (;;) {
    try {
      if (await condition()) return;
    } catch {
      // not yet
    }
    if (Date.now() > end) throw new Error(`not reached within ${milliseconds} ms: ${condition}`);
    await pause(25);
  }
}
