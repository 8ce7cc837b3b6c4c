// Takes an order in: asks the owners of what it names, in as few calls as possible, then writes once.

import type { FindProducts } from '#kit/clients/products';
import type { FindShop, Shop } from '#kit/clients/shops';
import { isRefusal, Overload, type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import { recall } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import type { Caller } from '#kit/http/api';
import type { Admission } from './admission.ts';
import type { Neighbours } from './neighbours.ts';
import { type OrderSummary, orderOf, place } from './order.ts';
import { price } from './pricing.ts';
import { type NewOrder, type OrderView, viewAt } from './schemas.ts';

export const MOST_LINES = 500;
/** A sale may lie this far ahead of our clock. */
const SKEW_MS = 5 * 60_000;
/** Buckets of a web shop's orders: its stock is not worked in one partition alone. */
const WEB_BUCKETS = 8;

export interface PlaceOrderParts {
  readonly streams: Streams;
  readonly findShop: FindShop;
  readonly findProducts: FindProducts;
  readonly neighbours: Neighbours;
  readonly admission: Admission;
  readonly deadlineSeconds: number;
}

export interface Placed {
  readonly view: OrderView;
  readonly replayed: boolean;
}

/**
 * Places an order under the command's id: a repeat meets the same document. Refuses with the codes
 * that its route names.
 * @throws {Fault} an owner or the store is out of reach: repeat with the same key.
 */
export async function placeOrder(
  parts: PlaceOrderParts,
  body: NewOrder,
  caller: Caller,
  command: CommandIdentity,
  origin: Origin,
): Promise<Placed | Refusal> {
  const denied = deny(body, caller);
  if (denied) return denied;
  const known = await replay(parts.streams, command);
  if (known) return known;
  // After the replay: who repeats an order that was taken in gets its answer, however much there is to do.
  if (parts.admission.overloaded) throw new Overload('more orders than can be carried', { retryAfter: 2 });
  const shape = checkShape(body, parts.streams.clock());
  if (shape) return shape;

  const [shop, products] = await Promise.all([
    parts.findShop(body.shopId),
    parts.findProducts(
      body.shopId,
      body.lines.map(({ sku }) => sku),
    ),
  ]);
  if (!shop) return refuse('SHOP_UNKNOWN', { errors: [{ pointer: '/shopId', detail: 'There is no such shop' }] });
  const totals = price(body.lines, products, shop.currency);
  if (isRefusal(totals)) return totals;
  const summary = summarise(parts, body, caller, shop, totals, command.id);
  const early = await parts.neighbours.prepare(
    summary,
    body.payment.method === 'card' ? body.payment.token : undefined,
  );
  if (early) return early;
  return write(parts.streams, summary, command, origin);
}

function deny(body: NewOrder, caller: Caller): Refusal | undefined {
  const sells = caller.may('order:sell', body.shopId);
  if (!sells && caller.may('order:sell')) return refuse('FORBIDDEN', { text: 'Another shop' });
  if (!sells) {
    if (!caller.may('order:place')) return refuse('FORBIDDEN');
    if (body.channel !== 'web') return refuse('FORBIDDEN', { text: 'Customers order on the web' });
    if (body.customerId !== undefined && body.customerId !== caller.id) {
      return refuse('FORBIDDEN', { text: 'Customers order for themselves' });
    }
  }
  const priced = body.lines.some(({ unitPrice, discounts }) => unitPrice !== undefined || (discounts?.length ?? 0) > 0);
  if (priced && (body.channel === 'web' || !caller.may('order:price', body.shopId))) {
    return refuse('FORBIDDEN', { text: 'Only a till sets prices and discounts' });
  }
  return undefined;
}

function checkShape(body: NewOrder, now: Date): Refusal | undefined {
  if (body.lines.length > MOST_LINES) return refuse('TOO_MANY_LINES', { most: MOST_LINES });
  if (body.channel === 'web') {
    if (body.payment.method === 'cash') return refuse('TENDER_NOT_ALLOWED');
    if (body.occurredAt !== undefined) {
      const errors = [{ pointer: '/occurredAt', detail: 'Only for pos and machine' }];
      return refuse('VALIDATION_FAILED', { errors });
    }
  }
  if (body.occurredAt !== undefined && Date.parse(body.occurredAt) > now.getTime() + SKEW_MS) {
    return refuse('OCCURRED_IN_FUTURE', { errors: [{ pointer: '/occurredAt', detail: 'Lies in the future' }] });
  }
  if (body.coupons?.length) return refuse('COUPON_UNKNOWN');
  return undefined;
}

function summarise(
  { deadlineSeconds, streams }: PlaceOrderParts,
  body: NewOrder,
  caller: Caller,
  shop: Shop,
  totals: Pick<OrderSummary, 'lines' | 'gross' | 'discounts' | 'net' | 'tax'>,
  orderId: string,
): OrderSummary {
  const now = streams.clock();
  const settled =
    body.channel === 'machine' ||
    (body.channel === 'pos' && (body.payment.method === 'cash' || body.occurredAt !== undefined));
  const ownOrder = body.channel === 'web' && !caller.may('order:sell', body.shopId);
  return {
    orderId,
    channel: body.channel,
    shopId: shop.id,
    customerId: ownOrder ? caller.id : (body.customerId ?? null),
    partition: shop.kind === 'web' ? `${shop.id}/${bucketOf(orderId)}` : shop.id,
    currency: shop.currency,
    timeZone: shop.timeZone,
    occurredAt: body.occurredAt ?? null,
    placedAt: now.toISOString(),
    tender: { method: body.payment.method },
    ...totals,
    settled,
    deadlineAt: settled ? null : new Date(now.getTime() + deadlineSeconds * 1_000).toISOString(),
  };
}

function bucketOf(orderId: string): number {
  return Number.parseInt(orderId.slice(0, 2), 16) % WEB_BUCKETS; // a uuid v5: its digits are a hash
}

/** What was answered under this id before, if anything: the order as it was when it was placed. */
async function replay(streams: Streams, command: CommandIdentity): Promise<Placed | Refusal | undefined> {
  const document = await streams.glance(orderOf(command.id));
  const known = document && recall(document, command);
  if (!known || isRefusal(known)) return known;
  return { view: viewAt(document, known.version), replayed: true };
}

async function write(
  streams: Streams,
  summary: OrderSummary,
  command: CommandIdentity,
  origin: Origin,
): Promise<Placed | Refusal> {
  const ref = orderOf(command.id);
  return streams.execute({
    touch: [ref],
    absent: [ref],
    origin,
    decide(desk): Placed | Refusal {
      const known = desk.recall(ref, command);
      if (isRefusal(known)) return known;
      if (known) return { view: viewAt(desk.document(ref), known.version), replayed: true };
      const refusal = desk.apply(ref, place, summary);
      if (refusal) return refusal;
      desk.remember(ref, command);
      return { view: viewAt(desk.document(ref)), replayed: false };
    },
  });
}
