// What stock, orders and the provider's webhooks mean for a payment.
import { GAP, type Reaction, type Reactions } from '#kit/events/reactor';
import {
  cancel,
  type Due,
  type GoodsReturned,
  giveBackFor,
  paymentIdOf,
  paymentOf,
  type Reason,
  request,
} from './payment.ts';
import { settle } from './settle.ts';

interface StockReserved {
  readonly orderId: string;
  readonly shopId: string;
  readonly customerId: string | null;
  readonly partition: string;
  readonly amount: number;
  readonly currency: string;
  readonly tender: { readonly method: 'card' | 'cash' };
}

interface OrderCancelled {
  readonly orderId: string;
  readonly shopId: string;
  readonly customerId: string | null;
  readonly partition: string;
  readonly net: number;
  readonly currency: string;
  readonly cancellation: Reason;
}

interface OrderReturned extends GoodsReturned {
  readonly orderId: string;
}

interface ProviderEvent {
  readonly paymentId: string;
}

/** `wake` starts the worker on a payment; it looks at the store itself what there is to do. */
export function reactions(
  wake: (paymentId: string) => void,
): Readonly<Record<'inventory' | 'orders' | 'provider-events', Reactions>> {
  const capturePayment: Reaction<StockReserved> = {
    touch: ({ data }) => [paymentOf(paymentIdOf(data.orderId))],
    decide(desk, { data: { tender, orderId, shopId, customerId, partition, amount, currency } }) {
      const paymentId = paymentIdOf(orderId);
      const due: Due = { paymentId, orderId, shopId, customerId, partition, amount, currency, method: tender.method };
      settle(desk, paymentOf(paymentId), request, due);
    },
    afterwards({ data }) {
      if (data.tender.method === 'card' && data.amount > 0) wake(paymentIdOf(data.orderId));
    },
  };

  const giveBack: Reaction<OrderCancelled> = {
    touch: ({ data }) => [paymentOf(paymentIdOf(data.orderId))],
    decide(desk, { data: { orderId, shopId, customerId, partition, net: amount, currency, cancellation: reason } }) {
      const paymentId = paymentIdOf(orderId);
      const due = { paymentId, orderId, shopId, customerId, partition, amount, currency };
      settle(desk, paymentOf(paymentId), cancel, { due, reason });
    },
    afterwards: ({ data }) => wake(paymentIdOf(data.orderId)),
  };

  /** An order is only ever returned when it was paid: whoever sees another payment has not seen what is stored. */
  const giveBackPart: Reaction<OrderReturned> = {
    touch: ({ data }) => [paymentOf(paymentIdOf(data.orderId))],
    decide(desk, { data: { orderId, returnId, amount } }) {
      const payment = paymentOf(paymentIdOf(orderId));
      if (desk.state(payment).status !== 'captured') return GAP;
      settle(desk, payment, giveBackFor, { returnId, amount });
      return;
    },
    afterwards: ({ data }) => wake(paymentIdOf(data.orderId)),
  };

  /** A webhook is only another way to learn an outcome: whoever waits for one asks again, now. */
  const lookAgain: Reaction<ProviderEvent> = {
    touch: () => [],
    decide: () => undefined,
    afterwards: ({ data }) => wake(data.paymentId),
  };

  return {
    inventory: { 'stock.reserved': capturePayment },
    orders: { 'order.cancelled': giveBack, 'order.returned': giveBackPart },
    'provider-events': { 'provider.event': lookAgain },
  };
}
