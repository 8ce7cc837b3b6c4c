// A small load of tills, and what each of them was told: the measure of what the system then has to have done.

import { unique } from '../acceptance/goods.ts';
import type { Answer, Gateway } from '../client/gateway.ts';
import { getOrder, isFinal, type Order, type OrderRequest, placeOrder } from '../client/retail.ts';

export interface Load {
  readonly orders: readonly OrderRequest[];
  /** Clients at work at once; 8 unless told. */
  readonly clients?: number;
  /** Told how many orders were answered so far. */
  readonly onAnswer?: (count: number) => void;
}

export interface Told {
  readonly key: string;
  readonly request: OrderRequest;
  readonly order: Order;
}

/** Places every order as `caller`, repeating with its key until it is answered. */
export async function runLoad(caller: Gateway, { orders, clients = 8, onAnswer }: Load): Promise<Told[]> {
  const told: Told[] = [];
  let next = 0;
  const work = async () => {
    for (let request = orders[next++]; request; request = orders[next++]) {
      const key = unique('chaos');
      const { body } = await placeOrder(caller, request, key);
      told.push({ key, request, order: body });
      onAnswer?.(told.length);
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  return told;
}

/** Follows every order to its end, all at once. @throws {Error} naming those that are not final within `seconds` */
export async function awaitFinal(caller: Gateway, told: readonly Told[], seconds: number): Promise<Order[]> {
  const orders = await followAll(caller, told, seconds);
  const open = orders.filter((order) => !isFinal(order)).map(({ id, status }) => `order ${id} is still ${status}`);
  if (open.length > 0) throw new Error(`${open.join(', ')} ${seconds} s after the fault was healed`);
  return orders;
}

/** As far as the gateway shows them within `seconds`: final, or as they were seen last. */
export async function followAll(caller: Gateway, told: readonly Told[], seconds: number): Promise<Order[]> {
  const deadline = Date.now() + seconds * 1000;
  return Promise.all(
    told.map(async ({ order }) => {
      for (;;) {
        const { body } = await getOrder(caller, order.id, 10);
        if (isFinal(body) || Date.now() > deadline) return body;
      }
    }),
  );
}

/** Sends every order once more with its key: the answer has to be the order that is there. */
export async function repeatAll(caller: Gateway, told: readonly Told[]): Promise<Answer<Order>[]> {
  return Promise.all(told.map(({ key, request }) => placeOrder(caller, request, key)));
}
