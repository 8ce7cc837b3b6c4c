// What stock and money mean for an order.

import type { Decision } from '#kit/events/aggregate';
import type { Message } from '#kit/events/message';
import type { Reaction, Reactions } from '#kit/events/reactor';
import { type Cancellation, confirm, fail, noteRefund, type Order, type OrderEvent, orderOf } from './order.ts';

interface OfOrder {
  readonly orderId: string;
}

/** A reaction that is one decision on the order. Every decision here answers nothing when it has been made before. */
function decides<Data extends OfOrder, Command>(
  decide: (order: Order, command: Command) => Decision<OrderEvent>,
  commandOf: (data: Data) => Command,
): Reaction<Data> {
  return {
    touch: ({ data }) => [orderOf(data.orderId)],
    decide(desk, { data, type }: Message<Data>) {
      const order = orderOf(data.orderId);
      if (desk.version(order) === 0) throw new Error(`${type} of an order that does not exist: ${data.orderId}`);
      const refusal = desk.apply(order, decide, commandOf(data));
      if (refusal) throw new Error(`${type} was refused: ${refusal.refused}`);
    },
  };
}

const OUT_OF_STOCK: Cancellation = { code: 'STOCK_INSUFFICIENT', detail: 'Not every line was in stock' };

export const reactions: Readonly<Record<'inventory' | 'payments', Reactions>> = {
  inventory: {
    'stock.rejected': decides(fail, () => OUT_OF_STOCK),
    'stock.released': decides(fail, ({ reason }: OfOrder & { reason: Cancellation }) => reason),
  },
  payments: {
    'payment.captured': decides(confirm, ({ paymentId }: OfOrder & { paymentId: string }) => ({ paymentId })),
    'payment.refunded': decides(noteRefund, ({ amount }: OfOrder & { amount: number }) => ({ amount })),
  },
};
