// I8 for the report's views of stock, payments, ledger, sagas and audit: each row against the documents that its events came from.
import type { Stream } from './evidence.ts';
import type { StoredRow } from './stores.ts';
import { placeOf } from './views.ts';
import type { Violation } from './violation.ts';

/** Rows of the report's views as one text each, by what they are about. */
export type ViewRows = ReadonlyMap<string, string>;

/** One statement per view: `key` says what a row is about, `value` what it says. */
export const VIEW_ROWS = {
  stock: `select shop_id || '/' || sku as key, on_hand || '/' || reserved as value from stock_levels`,
  payments: `select payment_id as key, status || '/' || captured || '/' || refunded as value from payment_states`,
  ledger: `select 'ledger:' || payment_id || ':' || kind || ' ' || account as key, amount::text as value from ledger_lines`,
  saga: `select order_id as key, concat_ws('/', placed is not null, confirmed is not null, cancelled is not null, reason) as value
    from saga_steps where day is not null`,
  audit: `select position::text as key, 'an event and a row of the audit' as value
    from events full join audit_trail using (position) where events.id is null or audit_trail.hash is null`,
} as const;

export type ViewName = keyof typeof VIEW_ROWS;

const texts = (
  of: Iterable<readonly [string, Stream]>,
  text: (stream: Stream) => readonly [string, string] | undefined,
) => new Map([...of].flatMap(([, stream]) => [text(stream)].filter((each) => each !== undefined)));

/** What the rows have to say. `streams`: those of one service, by key. */
export function expectedRows(
  streams: { readonly order: Streams; readonly inventory: Streams; readonly payment: Streams },
  ledger: readonly StoredRow[],
): Record<ViewName, ViewRows> {
  return {
    stock: texts(streams.inventory, ({ document: { key, state } }) => {
      const place = key.startsWith('item:') ? placeOf(key) : undefined;
      const { onHand, reserved } = state as { onHand: number; reserved: number };
      return place && [`${place.shopId}/${place.sku}`, `${onHand}/${reserved}`];
    }),
    payments: texts(streams.payment, ({ document: { key, id, state } }) => {
      if (!key.startsWith('payment:')) return undefined;
      const { status, captures, refunds } = state as { status: string } & Record<'captures' | 'refunds', Amount[]>;
      return [id, `${status}/${sum(captures)}/${sum(refunds)}`];
    }),
    ledger: new Map(
      ledger.flatMap(({ key, value }) => {
        if (!key.startsWith('ledger:')) return [];
        const booked = key.replace(/:capture$/, ':captured').replace(/:refund$/, ':refunded');
        const { lines } = value as { lines: readonly (Amount & { account: string })[] };
        return lines.map(({ account, amount }) => [`${booked} ${account}`, String(amount)] as const);
      }),
    ),
    saga: texts(streams.order, ({ document: { key, id }, events }) => {
      if (!key.startsWith('order:')) return undefined;
      const has = (type: string) => (events.some((event) => event.type === type) ? 't' : 'f');
      const last = events.find(({ type }) => type === 'order.cancelled')?.data as Cancelled | undefined;
      const parts = [has('order.placed'), has('order.confirmed'), has('order.cancelled'), last?.cancellation.code];
      return [id, parts.filter((part) => part !== undefined).join('/')];
    }),
    audit: new Map(),
  };
}

type Streams = ReadonlyMap<string, Stream>;
interface Amount {
  readonly amount: number;
}
interface Cancelled {
  readonly cancellation: { readonly code: string };
}

const sum = (movements: readonly Amount[]) => movements.reduce((total, { amount }) => total + amount, 0);

/** Rows that say something else than the documents, are missing, or are of nothing. */
export function checkReportView(name: ViewName, is: ViewRows, should: ViewRows): Violation[] {
  return [...new Set([...is.keys(), ...should.keys()])].flatMap((key) => {
    const [row, wanted] = [is.get(key), should.get(key)];
    if (row === wanted) return [];
    const what = `the view says ${row ?? 'nothing'}, the documents ${wanted ?? 'nothing'}`;
    return [{ invariant: 'I8' as const, subject: `${name} ${key}`, what }];
  });
}
