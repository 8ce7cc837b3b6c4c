// Clients of the shop while it is hurt: each repeats with its key until it is answered, and remembers what it was told.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../client/gateway.ts';
import { ProblemError } from '../client/problem.ts';
import type { Order, OrderRequest } from '../client/retail.ts';
import { type Bags, handle } from './bags.ts';
import type { PlannedOrder } from './orders.ts';
import { type Patience, untilAnswered } from './patience.ts';

/** What became of an order as far as its client was told. */
export interface Purchase {
  readonly planned: PlannedOrder;
  /** The order it was answered, or the code of the refusal; neither when nobody ever answered. */
  order?: Order;
  refused?: { readonly status: number; readonly code: string | undefined };
  /** What the answer to the cancellation was: done, or a refusal's code. */
  cancel?: string;
  /** What was told of its goods, once it was confirmed. */
  bags?: Bags | undefined;
}

export class Shoppers {
  readonly #web: Gateway;
  readonly #till: Gateway;
  readonly patience: Patience;
  readonly #under: Promise<void>[] = [];
  readonly purchases: Purchase[] = [];
  /** Answers that the contract does not know, one line each. */
  readonly odd: string[] = [];

  /** @param web who places web orders @param till who places and cancels all others */
  constructor(web: Gateway, till: Gateway, patienceMs: number) {
    this.#web = web;
    this.#till = till;
    this.patience = { milliseconds: patienceMs, odd: this.odd };
  }

  /** Sends the orders at their times; resolves when the last one was sent. */
  async send(orders: readonly PlannedOrder[]): Promise<void> {
    const start = Date.now();
    for (const planned of orders) {
      await sleep(Math.max(0, start + planned.at - Date.now()));
      this.#under.push(this.#buy(planned));
    }
  }

  /** Resolves when every client was answered or has lost its patience. */
  async answered(): Promise<void> {
    await Promise.all(this.#under);
  }

  /** Sends every order that was answered once more with its key. Answers the ids, in the order of `purchases`. */
  async repeat(purchases: readonly Purchase[]): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < purchases.length; from += 16) {
      const some = purchases.slice(from, from + 16).map(async ({ planned: { request, key } }) => {
        const answer = await this.#untilAnswered(this.#callerOf(request), '/api/v1/orders', request, key);
        return answer instanceof ProblemError ? `refused with ${answer.status} ${answer.code}` : String(answer?.id);
      });
      ids.push(...(await Promise.all(some)));
    }
    return ids;
  }

  #callerOf({ channel }: OrderRequest): Gateway {
    return channel === 'web' ? this.#web : this.#till;
  }

  async #buy(planned: PlannedOrder): Promise<void> {
    const purchase: Purchase = { planned };
    this.purchases.push(purchase);
    const { request, key, cancelAfter } = planned;
    const told = await this.#untilAnswered(this.#callerOf(request), '/api/v1/orders', request, key);
    if (told instanceof ProblemError) purchase.refused = { status: told.status, code: told.code };
    else if (told) purchase.order = told;
    if (!purchase.order) return;
    if (planned.isHandedOut) purchase.bags = await handle(this.#till, purchase.order, planned, this.patience);
    if (cancelAfter === undefined) return;
    await sleep(cancelAfter);
    const path = `/api/v1/orders/${purchase.order.id}/cancel`;
    const answer = await this.#untilAnswered(this.#till, path, { reason: 'chaos' }, `${key}-cancel`);
    if (answer instanceof ProblemError) purchase.cancel = answer.code ?? String(answer.status);
    else if (answer) purchase.cancel = 'done';
  }

  /** The order, what refused it, or undefined after all patience. */
  #untilAnswered(caller: Gateway, path: string, body: unknown, key: string): Promise<Order | ProblemError | undefined> {
    return untilAnswered<Order>(caller, { path, body, key }, this.patience);
  }
}
