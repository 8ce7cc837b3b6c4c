// A basket of the data as the order a till would send: every line total is the net of the data, to the cent.
import type { Basket, BasketLine } from '../../stack/demo-data.ts';
import type { Discount, OrderLineRequest, OrderRequest } from '../client/retail.ts';

/** The one card of the replay: it always succeeds at the provider. */
const CARD = 'pm_card_visa';

/** The order of a basket. It happened when the basket was bought, so it is never refused for stock. */
export function orderOf(basket: Basket): OrderRequest {
  return {
    channel: 'pos',
    shopId: basket.shopId,
    customerId: basket.customerId,
    occurredAt: basket.time,
    lines: basket.lines.map(lineOf),
    payment: { method: 'card', token: CARD },
  };
}

/** The key of a basket's order: the same at every replay, so that a repeat meets the order that is there. */
export function keyOf(basket: Basket): string {
  return `replay-basket-${basket.basketId}`;
}

/**
 * A line of the data. Gross is not always a multiple of the quantity (3 for $1.00): the unit price is rounded up
 * and a manual discount takes off what that is too much. Discounts of zero are left out.
 */
export function lineOf(line: BasketLine): OrderLineRequest {
  const gross = line.net + line.loyaltyDiscount + line.storeCoupon;
  const unitPrice = Math.ceil(gross / line.quantity);
  const discounts: Discount[] = [
    { kind: 'loyalty', amount: line.loyaltyDiscount },
    { kind: 'storeCoupon', amount: line.storeCoupon },
    { kind: 'manual', amount: unitPrice * line.quantity - gross },
  ];
  return { sku: line.sku, quantity: line.quantity, unitPrice, discounts: discounts.filter(({ amount }) => amount > 0) };
}

/** What an order line comes to: unit price times quantity less its discounts. */
export function totalOf(line: OrderLineRequest): number {
  const off = (line.discounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
  return (line.unitPrice ?? 0) * line.quantity - off;
}
