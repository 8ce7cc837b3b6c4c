// I8: what is read quickly is what the streams say. Rows of the read side against the documents they were made of.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

/** Splits the key of an item into the shop and sku that are encoded in it. Undefined for hashed ids. */
export function placeOf(itemKey: string): { shopId: string; sku: string } | undefined {
  const [, shop = '', sku = ''] = itemKey.split(':');
  if (shop.startsWith('h_') || sku.startsWith('h_')) return undefined;
  const text = (part: string) => Buffer.from(part, 'base64url').toString('utf8');
  return { shopId: text(shop), sku: text(sku) };
}

export interface StockRow {
  readonly shop_id: string;
  readonly sku: string;
  readonly on_hand: number;
  readonly reserved: number;
  readonly sold: number;
}

/** The stock list against the items. */
export function checkStockView(items: Iterable<StreamDocument>, rows: readonly StockRow[]): Violation[] {
  const found: Violation[] = [];
  const byPlace = new Map(rows.map((row) => [`${row.shop_id}/${row.sku}`, row]));
  for (const { key, state } of items) {
    const place = placeOf(key);
    if (!place) continue;
    const { onHand, reserved, sold } = state as { onHand: number; reserved: number; sold: number };
    const row = byPlace.get(`${place.shopId}/${place.sku}`);
    byPlace.delete(`${place.shopId}/${place.sku}`);
    const is = row ? [row.on_hand, row.reserved, row.sold] : [0, 0, 0];
    const should = [onHand, reserved, sold];
    if (is.join() !== should.join())
      found.push({
        invariant: 'I8',
        subject: key,
        what: `the stock list says ${is.join('/')}, the item ${should.join('/')}`,
      });
  }
  for (const place of byPlace.keys())
    found.push({ invariant: 'I8', subject: place, what: 'is in the stock list and nowhere else' });
  return found;
}

export interface VersionRow {
  readonly id: string;
  readonly version: number;
  readonly status?: string;
}

/** A list view with one row per stream: same ids, same versions, and the same status where it has one. */
export function checkListView(
  name: string,
  streams: ReadonlyMap<string, StreamDocument>,
  rows: readonly VersionRow[],
): Violation[] {
  const found: Violation[] = [];
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const [id, { version, state }] of streams) {
    const row = byId.get(id);
    byId.delete(id);
    const wrong = (what: string) => found.push({ invariant: 'I8', subject: `${name} ${id}`, what });
    if (!row) wrong('is not in the list');
    else if (row.version !== version) wrong(`is listed at version ${row.version}, the stream is at ${version}`);
    else if (row.status !== undefined && row.status !== (state as { status?: string }).status)
      wrong(`is listed as ${row.status}, the stream is ${(state as { status?: string }).status}`);
  }
  for (const id of byId.keys())
    found.push({ invariant: 'I8', subject: `${name} ${id}`, what: 'is listed, but there is no such stream' });
  return found;
}

export interface SalesContribution {
  readonly order_id: string;
  readonly counted: boolean;
  readonly gross: number;
  readonly discounts: number;
  readonly net: number;
}

/** What an order says of itself; amounts in minor units. */
export interface OrderFigures {
  readonly status: string;
  readonly gross: number;
  readonly discounts: number;
  readonly net: number;
}

/** The report's contribution of each order: counted while the order is confirmed, with the order's own sums. */
export function checkSales(orders: ReadonlyMap<string, OrderFigures>, rows: readonly SalesContribution[]): Violation[] {
  const found: Violation[] = [];
  const byOrder = new Map(rows.map((row) => [row.order_id, row]));
  for (const [orderId, { status, gross, discounts, net }] of orders) {
    const row = byOrder.get(orderId);
    byOrder.delete(orderId);
    const wrong = (what: string) => found.push({ invariant: 'I8', orderId, subject: 'sales', what });
    const sold = status === 'confirmed' || status === 'fulfilled';
    if (sold !== (row?.counted ?? false)) wrong(`is ${status} and ${row?.counted ? '' : 'not '}counted`);
    const sums = [gross, discounts, net];
    if (sold && row && [row.gross, row.discounts, row.net].join() !== sums.join())
      wrong(`counts ${row.gross}/${row.discounts}/${row.net}, the order says ${sums.join('/')}`);
  }
  for (const orderId of byOrder.keys())
    found.push({ invariant: 'I8', orderId, subject: 'sales', what: 'is counted, but there is no such order' });
  return found;
}

export interface RecordedEvent {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
}

/** The report's record of all events against the published streams of their owners: each event once, none more. */
export function checkEventLog(
  published: ReadonlyMap<string, readonly StoredEvent[]>,
  recorded: readonly RecordedEvent[],
): Violation[] {
  const found: Violation[] = [];
  const rows = new Map(recorded.map((row) => [`${row.stream}@${row.version}`, row]));
  for (const [stream, events] of published) {
    for (const { version, id, type } of events) {
      const row = rows.get(`${stream}@${version}`);
      rows.delete(`${stream}@${version}`);
      if (!row) found.push({ invariant: 'I8', subject: stream, what: `event ${version} (${type}) is not recorded` });
      else if (row.id !== id || row.type !== type)
        found.push({
          invariant: 'I8',
          subject: stream,
          what: `event ${version} is recorded as ${row.type} ${row.id}, it is ${type} ${id}`,
        });
    }
  }
  for (const row of rows.values())
    found.push({
      invariant: 'I8',
      subject: row.stream,
      what: `event ${row.version} is recorded, but its stream has none`,
    });
  return found;
}
