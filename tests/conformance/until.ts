import { setTimeout as pause } from 'node:timers/promises';

/** Polls until the condition holds. @throws after `milliseconds`. */
export async function until(condition: () => Promise<boolean>, milliseconds = 8_000): Promise<void> {
  const end = Date.now() + milliseconds;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`not reached within ${milliseconds} ms: ${condition}`);
    await pause(25);
  }
}
