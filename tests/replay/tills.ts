// The tills: a few clients that work through the baskets in time order and follow every order to its end.
import type { Basket } from '../../stack/demo-data.ts';
import type { Gateway } from '../client/gateway.ts';
import { followOrder, type Order, placeOrder } from '../client/retail.ts';
import { keyOf, orderOf } from './basket.ts';

export interface TillRun {
  readonly baskets: readonly Basket[];
  readonly concurrency: number;
  /** The gateway as the till of a shop. */
  readonly till: (shopId: string) => Gateway;
  /** Ends the run early: baskets under way are finished, no new one is begun. */
  readonly signal?: AbortSignal;
  /** Called after each basket. */
  readonly step?: () => void;
}

export interface TillResult {
  /** Orders whose final status was reached. */
  readonly done: number;
  /** Of these, orders that an earlier run had placed. */
  readonly replayed: number;
  /** Baskets that did not become a confirmed order, and why. */
  readonly failures: readonly { readonly basketId: string; readonly reason: string }[];
}

/** Seconds after which an order that is not final is a failure. */
const PATIENCE = 120;
/** More failures than this say that something is wrong for good. */
const ENOUGH = 20;

/** Sends every basket; baskets begin in time order. */
export async function runTills({ baskets, concurrency, till, signal, step }: TillRun): Promise<TillResult> {
  const failures: { basketId: string; reason: string }[] = [];
  let next = 0;
  let done = 0;
  let replayed = 0;
  const work = async () => {
    while (!signal?.aborted && failures.length < ENOUGH) {
      const basket = baskets[next++];
      if (!basket) return;
      try {
        const { order, repeated } = await sell(till(basket.shopId), basket);
        done++;
        if (repeated) replayed++;
        if (order.status === 'cancelled')
          failures.push({
            basketId: basket.basketId,
            reason: `order ${order.id} was cancelled: ${order.cancellation?.code}`,
          });
      } catch (error) {
        failures.push({ basketId: basket.basketId, reason: (error as Error).message });
      }
      step?.();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { done, replayed, failures };
}

async function sell(till: Gateway, basket: Basket): Promise<{ order: Order; repeated: boolean }> {
  const { body, headers } = await placeOrder(till, orderOf(basket), keyOf(basket), 10);
  return { order: await followOrder(till, body, PATIENCE), repeated: headers['idempotent-replayed'] === 'true' };
}
