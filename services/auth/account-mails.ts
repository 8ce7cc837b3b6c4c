// Sends the mails that are owed: straight to notification, so that no event, log or list ever holds a token.
import { randomUUID } from 'node:crypto';
import { ask } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Conflict } from '#kit/errors';
import { type Sweep, sweep } from '#kit/events/sweep';
import { Worker } from '#kit/events/worker';
import type { Log } from '#kit/log';
import type { Errands } from './errands.ts';

/** A claim outlasts a try. */
const CLAIM_MS = 30_000;
const PATIENCE_MS = 20_000;

/** One at a time, as notification sends them; what a crash leaves behind is found by the sweep. */
export function accountMails(
  errands: Errands,
  sidecar: Pick<Sidecar, 'invoke'>,
  log: Log,
): { readonly worker: Worker; readonly sweep: Sweep } {
  const by = randomUUID();
  const worker = new Worker({
    log,
    concurrency: 1,
    async perform(id) {
      const mail = await errands.claim(id, by, CLAIM_MS);
      if (mail === 'busy') return 'pending';
      if (mail) {
        const { purpose, email, token } = mail;
        const body = { template: purpose, email, ...((purpose === 'verify' || purpose === 'reset') && { token }) };
        const path = '/internal/account-mails';
        await ask(sidecar, { to: 'notification', method: 'POST', path, body, timeout: PATIENCE_MS });
      }
      try {
        await errands.settle(id);
      } catch (error) {
        if (error instanceof Conflict) return 'pending';
        throw error;
      }
      return 'done';
    },
  });
  return {
    worker,
    sweep: sweep({ name: 'mails owed', due: () => errands.owed(), run: async (id) => worker.offer(id) }),
  };
}
