// Sends the book's events as signed webhooks until each is accepted: at least once, in no promised order, as Stripe does.
import { createHmac } from 'node:crypto';
import type { Book, ProviderEvent } from './book.ts';
import type { Faults } from './faults.ts';

const TICK_MS = 100;
const IN_FLIGHT = 8;
const ANSWER_WITHIN_MS = 5_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const REORDER_WINDOW_MS = 300;

export type WebhookSender = { stop(): Promise<void> };

/** The `Stripe-Signature` header: HMAC-SHA256 over `<t>.<body>`. `at` in seconds since 1970. */
export function signature(body: string, secret: string, at: number): string {
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `t=${at},v1=${digest}`;
}

/** Starts sending. Events that an earlier process left are sent too. */
export function startWebhooks(
  book: Book,
  target: { url: string; secret: string },
  faults: () => Faults,
): WebhookSender {
  const plans = new Map<string, { dueAt: number; tries: number }>();
  const sending = new Set<Promise<void>>();
  const busy = new Set<string>();
  let stopped = false;

  const planOf = (event: ProviderEvent) => {
    let plan = plans.get(event.id);
    if (plan === undefined) {
      const { delayMs, reorder } = faults().webhooks;
      plan = { dueAt: Date.now() + delayMs + (reorder ? REORDER_WINDOW_MS : 0), tries: 0 };
      plans.set(event.id, plan);
    }
    return plan;
  };

  const deliver = async (event: ProviderEvent): Promise<void> => {
    const plan = planOf(event);
    const copies = faults().webhooks.double ? 2 : 1;
    let accepted = true;
    for (let copy = 0; copy < copies; copy += 1) accepted = (await send(event, target)) && accepted;
    if (accepted) {
      plans.delete(event.id);
      book.append({ at: seconds(), delivered: event.id });
    } else {
      plan.dueAt = Date.now() + Math.min(FIRST_RETRY_MS * 2 ** plan.tries, LAST_RETRY_MS);
      plan.tries += 1;
    }
  };

  const begin = (work: Promise<void>, ids: string[]): void => {
    for (const id of ids) busy.add(id);
    const done = work.finally(() => {
      sending.delete(done);
      for (const id of ids) busy.delete(id);
      pump();
    });
    sending.add(done);
  };

  const isDue = (event: ProviderEvent): boolean => !busy.has(event.id) && planOf(event).dueAt <= Date.now();

  const pump = (): void => {
    if (stopped || faults().webhooks.off || faults().down !== false) return;
    if (faults().webhooks.reorder) {
      // One after the other, or the network would put them back in order.
      const due = sending.size === 0 ? [...book.undelivered.values()].filter(isDue).reverse() : [];
      const ids = due.map((event) => event.id);
      if (ids.length > 0) begin(inTurn(due, deliver), ids);
      return;
    }
    for (const event of book.undelivered.values()) {
      if (busy.size >= IN_FLIGHT) return;
      if (isDue(event)) begin(deliver(event), [event.id]);
    }
  };

  const timer = setInterval(pump, TICK_MS);
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.allSettled(sending);
    },
  };
}

async function inTurn(events: ProviderEvent[], deliver: (event: ProviderEvent) => Promise<void>): Promise<void> {
  for (const event of events) await deliver(event);
}

async function send(event: ProviderEvent, target: { url: string; secret: string }): Promise<boolean> {
  const body = JSON.stringify({
    id: event.id,
    object: 'event',
    api_version: null,
    created: event.created,
    data: { object: event.object },
    livemode: false,
    pending_webhooks: 1,
    request: null,
    type: event.type,
  });
  try {
    const answer = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        // Signed anew at each try, as Stripe does, or a late retry would be taken for a replay.
        'stripe-signature': signature(body, target.secret, seconds()),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
