// Who may see an order, and who may change it.
import type { Caller } from '#kit/http/api';
import type { PlacedOrder } from './order.ts';

/** Its customer, and who may read orders of its shop. */
export function mayRead(caller: Caller, { summary }: PlacedOrder): boolean {
  return caller.isCustomer(summary.customerId) || caller.may('order:read', summary.shopId);
}

/** On the web the customer is the caller; at a till it is whoever the till named, and the goods have left. */
export function mayChange(caller: Caller, { summary }: PlacedOrder): boolean {
  return (caller.isCustomer(summary.customerId) && summary.channel === 'web') || mayWrite(caller, { summary });
}

/** Staff of the shop alone. */
export function mayWrite(caller: Caller, { summary }: Pick<PlacedOrder, 'summary'>): boolean {
  return caller.may('order:write', summary.shopId);
}
