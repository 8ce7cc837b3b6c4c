// What a seed finds wrong: a broken invariant, or something that it saw from outside.

import type { Order } from '../client/retail.ts';
import type { Violation } from '../invariants/violation.ts';
import { judgeBags } from './bags.ts';
import { endsOf } from './orders.ts';
import type { Purchase } from './shoppers.ts';

/** `answers`: what clients were told. `healing`: what did not come back. `fault`: a fault that could not be made. */
export interface Finding extends Omit<Violation, 'invariant'> {
  readonly invariant: Violation['invariant'] | 'answers' | 'healing' | 'fault';
}

/** Reasons that a wrong clock allows besides: refusals, never violations. */
const SKEWED = ['DEADLINE'];

/** What clients were told beside what became of it. `skewed`: some clock was wrong meanwhile. */
export function judgePurchases(
  purchases: readonly Purchase[],
  final: ReadonlyMap<string, Order>,
  skewed: boolean,
): Finding[] {
  return purchases.flatMap((purchase) => {
    const { planned, order, refused, cancel } = purchase;
    const wrong = (what: string): Finding[] => [
      { invariant: 'answers', ...(order && { orderId: order.id }), subject: `${planned.kind} ${planned.key}`, what },
    ];
    const { confirmed, codes } = endsOf(planned);
    if (refused) {
      const expected = refused.status === 409 && refused.code !== undefined && codes.includes(refused.code);
      return expected || skewed ? [] : wrong(`was refused with ${refused.status} ${refused.code}`);
    }
    if (!order) return wrong('was never answered');
    const end = final.get(order.id);
    if (!end || end.status === 'placed') return wrong('is not final, as far as the gateway shows it');
    const { status, cancellation } = end;
    if (planned.cancelAfter !== undefined && cancel === undefined) return wrong('its cancellation was never answered');
    if (cancel === 'done' && status !== 'cancelled') return wrong(`its cancellation was accepted, and it is ${status}`);
    if (planned.isHandedOut && status !== 'cancelled') {
      const { bags } = purchase;
      return bags ? judgeBags(bags, end, skewed).flatMap(wrong) : wrong('nobody could hand it out');
    }
    if (status !== 'cancelled') return confirmed ? [] : wrong(`is ${status}`);
    const code = String(cancellation?.code);
    return codes.includes(code) || (skewed && SKEWED.includes(code)) ? [] : wrong(`was cancelled for ${code}`);
  });
}

/** `42 confirmed, 7 cancelled: PAYMENT_DECLINED`, ... */
export function outcomesOf(purchases: readonly Purchase[], final: ReadonlyMap<string, Order>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { order, refused } of purchases) {
    const end = order && (final.get(order.id) ?? order);
    const outcome = end
      ? `${end.status}${end.cancellation ? ` ${end.cancellation.code}` : ''}`
      : refused
        ? `refused ${refused.code ?? refused.status}`
        : 'unanswered';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
