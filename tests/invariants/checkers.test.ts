import { describe, expect, it } from '@jest/globals';
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import { checkBookings } from './bookings.ts';
import { checkEntries, checkLedger } from './ledger.ts';
import { checkMoney, type SoldOrder } from './money.ts';
import { checkReturns } from './returns.ts';
import { checkAnswers, checkSagas } from './sagas.ts';
import { checkLines, checkReservations, checkStock } from './stock.ts';
import { checkStreams } from './streams.ts';
import { checkTransfers } from './transfers.ts';

const event = (version: number, type: string, data: unknown): StoredEvent => ({
  id: `id-${version}-${type}`,
  type,
  version,
  at: '2026-01-01T00:00:00.000Z',
  data,
  causationId: 'c',
});
const stream = (
  key: string,
  state: unknown,
  events: readonly StoredEvent[] = [],
  more: Partial<StreamDocument> = {},
): StreamDocument => ({
  key,
  id: key,
  version: events.length,
  state,
  events,
  sealedPages: 0,
  publishedVersion: 0,
  commands: [],
  ...more,
});
const by = (...documents: StreamDocument[]) => new Map(documents.map((document) => [document.key, document]));
const subjects = (violations: readonly { invariant: string }[]) => violations.map(({ invariant }) => invariant);

describe('I1', () => {
  const good = { onHand: 3, reserved: 1, sold: 4, received: 5, found: 1, adjusted: 1 };
  it('holds for a sound item', () => {
    const moved = { ...good, transferredIn: 6, transferredOut: 2, writtenOff: 3, counted: -1 };
    expect(checkStock([stream('item:a', good), stream('item:b', moved)])).toEqual([]);
  });
  it.each([
    [{ reserved: 4 }],
    [{ reserved: -1 }],
    [{ onHand: 4 }],
    [{ sold: 5 }],
    [{ found: 0.5 }],
    [{ transferredIn: 2 }],
    [{ transferredOut: -1, transferredIn: -1 }],
    [{ writtenOff: 1 }],
    [{ counted: 1 }],
  ])('is broken by %j', (change) => {
    expect(subjects(checkStock([stream('item:a', { ...good, ...change })]))).toContain('I1');
  });
});

describe('I7', () => {
  const change = (type: string, quantity = 2) => event(1, type, { quantity, cause: 'reservation:o' });
  const item = (...types: string[]) => [{ key: 'item:a', events: types.map((type) => change(type)) }];
  const reservation = (status: string) =>
    by(stream('reservation:o', { status, shopId: 's', lines: [{ sku: 'a', quantity: 2 }] }));
  it('holds for each end of a reservation', () => {
    expect(checkReservations(item('item.found', 'item.reserved', 'item.committed'), reservation('committed'))).toEqual(
      [],
    );
    expect(checkReservations(item('item.reserved', 'item.released'), reservation('rejected'))).toEqual([]);
  });
  it.each([
    ['committed', ['item.reserved']],
    ['released', ['item.reserved', 'item.released', 'item.released']],
    ['committed', ['item.reserved', 'item.committed', 'item.committed']],
    ['closed', ['item.reserved']],
    ['rejected', ['item.reserved']],
  ])('is broken when a reservation is %s and its item has %j', (status, types) => {
    expect(subjects(checkReservations(item(...types), reservation(status)))).toContain('I7');
  });
  it('is broken when a line never reached its item', () => {
    const key = () => 'item:a';
    expect(
      checkLines(
        new Map([['item:a', [change('item.reserved'), change('item.committed')]]]),
        reservation('committed').values(),
        key,
      ),
    ).toEqual([]);
    expect(subjects(checkLines(new Map(), reservation('committed').values(), key))).toEqual(['I7']);
  });
  it('compares what was booked with what came in', () => {
    const part = stream('receipt-part:r:0', { shopId: 's' }, [
      event(1, 'stock.received', { lines: [{ sku: 'a', quantity: 5 }] }),
    ]);
    const received = (quantity: number) =>
      new Map([['item:a', [event(1, 'item.received', { quantity, cause: part.key })]]]);
    expect(checkBookings(received(5), by(part), () => 'item:a')).toEqual([]);
    expect(subjects(checkBookings(received(10), by(part), () => 'item:a'))).toEqual(['I7']);
    expect(subjects(checkBookings(received(5), new Map(), () => 'item:a'))).toEqual(['I7']);
    expect(subjects(checkBookings(new Map(), by(part), () => 'item:a'))).toEqual(['I7']);
  });
});

describe('I7 between shops', () => {
  const told = { sku: 'a', sent: 5, received: 4, damaged: 1, difference: -1 };
  const transfer = (more: object = {}) => {
    const state = { status: 'received', receive: false, lines: [{ sku: 'a', quantity: 5 }], received: [told], ...more };
    return new Map([['t', stream('transfer:t', state)]]);
  };
  const arrival = (quantity: number) =>
    new Map([
      [
        't',
        stream('arrival:t', {}, [event(1, 'stock.arrived', { lines: quantity > 0 ? [{ sku: 'a', quantity }] : [] })]),
      ],
    ]);
  it('holds for what is received and for what is on its way', () => {
    expect(checkTransfers(transfer(), arrival(4))).toEqual([]);
    expect(checkTransfers(transfer({ status: 'in_transit', received: [] }), new Map())).toEqual([]);
  });
  it.each([
    ['another quantity arrived', transfer(), arrival(5)],
    ['the difference is another one', transfer({ received: [{ ...told, difference: 0 }] }), arrival(4)],
    ['it is told as received, and nothing arrived', transfer(), new Map()],
    ['it arrived, and is told as on its way', transfer({ status: 'in_transit' }), arrival(4)],
    ['it was to be received at once', transfer({ status: 'in_transit', receive: true }), new Map()],
    ['it is still being sent', transfer({ status: 'opened' }), new Map()],
    ['nothing was sent', new Map(), arrival(4)],
  ])('is broken when %s', (_, transfers, arrivals) => {
    expect(subjects(checkTransfers(transfers, arrivals))).toContain('I7');
  });
});

describe('I2, I3 and I6', () => {
  const sagas = (order: string, reservation: string, payment: string, told = payment) => ({
    orders: new Map([['o', stream('order:o', { status: order, payment: told })]]),
    reservations: new Map([['o', stream('reservation:o', { status: reservation })]]),
    payments: new Map([['o', stream('payment:o', { status: payment })]]),
  });
  it.each([
    ['confirmed', 'committed', 'captured'],
    ['cancelled', 'released', 'failed'],
    ['cancelled', 'uncommitted', 'refunded'],
    ['cancelled', 'closed', 'none'],
  ])('hold for %s, %s, %s', (...end) => {
    expect(checkSagas(sagas(...(end as [string, string, string])))).toEqual([]);
  });
  it.each([
    ['placed', 'reserved', 'none', 'I2'],
    ['confirmed', 'reserved', 'captured', 'I6'],
    ['cancelled', 'reserved', 'failed', 'I6'],
    ['cancelled', 'released', 'captured', 'I6'],
  ])('are broken by %s, %s, %s', (order, reservation, payment, invariant) => {
    expect(subjects(checkSagas(sagas(order, reservation, payment)))).toEqual([invariant]);
  });
  it('are broken by a refund that the order has not heard of', () => {
    expect(subjects(checkSagas(sagas('cancelled', 'uncommitted', 'refunded', 'refunding')))).toEqual(['I6']);
  });
  it('are broken by an order that was answered and is not there, and by two orders of a key', () => {
    const { orders } = sagas('confirmed', 'committed', 'captured');
    expect(checkAnswers(orders, [{ key: 'k', orderId: 'o' }])).toEqual([]);
    expect(
      subjects(
        checkAnswers(orders, [
          { key: 'k', orderId: 'o' },
          { key: 'k', orderId: 'p' },
        ]),
      ),
    ).toEqual(['I2', 'I3']);
  });
});

describe('I4', () => {
  const order: SoldOrder = { id: 'o', status: 'confirmed', net: 100, currency: 'USD', tender: 'card' };
  const intent = (captures: number[], refunded = 0) =>
    ({
      intents: [
        {
          id: 'pi',
          paymentId: 'p',
          orderId: 'o',
          status: 'succeeded',
          amount: 100,
          currency: 'usd',
          metadata: {},
          created: 0,
          captures: captures.map((amount) => ({ id: 'ch', amount, at: 0 })),
          declines: [],
          refunded,
          refunds: [],
        },
      ],
    }) as unknown as Parameters<typeof checkMoney>[1];
  const check = (changes: Partial<SoldOrder>, book: Parameters<typeof checkMoney>[1]) =>
    subjects(checkMoney(new Map([['o', { ...order, ...changes }]]), book));
  it('holds for one capture, and for money given back', () => {
    expect(check({}, intent([100]))).toEqual([]);
    expect(check({ status: 'cancelled' }, intent([100], 100))).toEqual([]);
    expect(check({ status: 'cancelled' }, { intents: [] })).toEqual([]);
    expect(check({ tender: 'cash' }, { intents: [] })).toEqual([]);
  });
  it('holds for what came back: so much is refunded, no more and no less', () => {
    expect(check({ returned: 30 }, intent([100], 30))).toEqual([]);
    expect(check({ returned: 30, status: 'fulfilled' }, intent([100]))).toEqual(['I4']);
    expect(check({ returned: 30 }, intent([100], 60))).toEqual(['I4']);
    expect(check({ tender: 'cash', returned: 30 }, { intents: [] })).toEqual([]);
  });
  it('is broken by a missing, doubled, wrong or kept capture, and by a stranger', () => {
    expect(check({}, { intents: [] })).toEqual(['I4']);
    expect(check({}, intent([100, 100]))).toContain('I4');
    expect(check({}, intent([99]))).toEqual(['I4']);
    expect(check({ status: 'cancelled' }, intent([100]))).toEqual(['I4']);
    expect(subjects(checkMoney(new Map(), intent([100])))).toEqual(['I4']);
  });
});

describe('I6 and I7 of returns', () => {
  const lines = [
    { sku: 'a', quantity: 2, condition: 'sellable' },
    { sku: 'a', quantity: 1, condition: 'damaged' },
  ];
  const summary = { net: 300, lines: [{ sku: 'a', quantity: 3 }] };
  const order = (...returns: object[]) => new Map([['o', stream('order:o', { summary, returns })]]);
  const whole = { returnId: 'r', lines, amount: 300 };
  const booking = (sellable: number, damaged: number, id = 'r') =>
    new Map([[id, stream(`return:${id}`, { shopId: 's', lines: [{ sku: 'a', sellable, damaged }] })]]);
  const paid = (...refunds: object[]) => new Map([['o', stream('payment:o', { status: 'captured', refunds })]]);
  const back = { amount: 300, returnId: 'r' };
  const item = (returned: number, damaged: number, cause = 'return:r') => {
    const change = (version: number, type: string, quantity: number) => event(version, type, { quantity, cause });
    return new Map([['item:a', [change(1, 'item.returned', returned), change(2, 'item.damaged', damaged)]]]);
  };
  const check = (changes: Partial<Parameters<typeof checkReturns>[0]>) => {
    const sound = { orders: order(whole), payments: paid(back), bookings: booking(2, 1), items: item(2, 1) };
    return subjects(checkReturns({ ...sound, ...changes }, () => 'item:a'));
  };
  it('hold for a return that was booked and paid back once', () => {
    expect(check({})).toEqual([]);
    expect(check({ orders: order(), payments: paid(), bookings: new Map(), items: new Map() })).toEqual([]);
  });
  it('are broken by a booking that is missing, another one, or of nothing', () => {
    expect(check({ bookings: new Map(), items: new Map() })).toEqual(['I6']);
    expect(check({ bookings: booking(3, 0), items: item(3, 0) })).toEqual(['I6']);
    expect(check({ bookings: new Map([...booking(2, 1), ...booking(0, 0, 'q')]) })).toEqual(['I7']);
  });
  it('are broken by an item that changed otherwise', () => {
    expect(check({ items: new Map() })).toEqual(['I7']);
    expect(check({ items: item(4, 1) })).toEqual(['I7']);
    expect(check({ items: item(2, 1, 'return:q') })).toEqual(['I7', 'I7']);
  });
  it('are broken by money that did not go back, went twice, or for nothing', () => {
    expect(check({ payments: paid() })).toEqual(['I6']);
    expect(check({ payments: paid(back, back) })).toEqual(['I6']);
    expect(check({ payments: paid({ ...back, amount: 299 }) })).toEqual(['I6']);
    expect(check({ payments: paid(back, { amount: 1, returnId: 'q' }) })).toEqual(['I6']);
  });
  it('are broken by more than was sold, and by all of it for less than was paid', () => {
    const more = { ...whole, lines: [{ sku: 'a', quantity: 4, condition: 'sellable' }] };
    expect(check({ orders: order(more), bookings: booking(4, 0), items: item(4, 0) })).toEqual(['I6']);
    expect(check({ orders: order({ ...whole, amount: 299 }), payments: paid({ ...back, amount: 299 }) })).toEqual([
      'I6',
    ]);
  });
});

describe('I5', () => {
  const entry = (amounts: number[]) => ({
    currency: 'USD',
    lines: amounts.map((amount) => ({ account: 'a', amount })),
  });
  const check = (value: unknown, updated = false) =>
    subjects(checkLedger([{ key: 'ledger:p:capture', value, updated }]));
  it('holds for an entry that balances and its payment', () => {
    expect(check(entry([5, -5]))).toEqual([]);
    expect(
      checkEntries(
        [{ key: 'ledger:p:capture', value: entry([5, -5]) }],
        [{ paymentId: 'p', captured: 5, refunded: 0 }],
      ),
    ).toEqual([]);
  });
  it('holds for each part that went back, and is broken by one without its entry', () => {
    const entries = ['capture', 'return:r'].map((kind) => ({ key: `ledger:p:${kind}`, value: entry([5, -5]) }));
    const moved = (...ids: string[]) => {
      return [{ paymentId: 'p', captured: 5, refunded: 0, returned: new Map(ids.map((id) => [id, 5])) }];
    };
    expect(checkEntries(entries, moved('r'))).toEqual([]);
    expect(subjects(checkEntries(entries, moved('r', 'q')))).toEqual(['I5']);
    expect(subjects(checkEntries(entries, moved()))).toEqual(['I5']);
  });
  it('is broken by one that does not balance, is empty, or was changed', () => {
    expect(check(entry([5, -4]))).toEqual(['I5']);
    expect(check(entry([5.5, -5.5]))).toEqual(['I5']);
    expect(check(entry([]))).toEqual(['I5']);
    expect(check(entry([5, -5]), true)).toEqual(['I5']);
  });
  it('is broken by a movement without an entry, and an entry without a movement', () => {
    expect(subjects(checkEntries([], [{ paymentId: 'p', captured: 5, refunded: 0 }]))).toEqual(['I5']);
    expect(subjects(checkEntries([{ key: 'ledger:q:refund', value: entry([5, -5]) }], []))).toEqual(['I5']);
  });
});

describe('I10', () => {
  const events = Array.from({ length: 20 }, (_, index) => event(index + 1, 'x', {}));
  it('holds for a stream with a sealed page', () => {
    const document = stream('item:a', {}, events.slice(16), { version: 20, sealedPages: 1 });
    expect(checkStreams([document], new Map([['item:a:p0', events.slice(0, 16)]]))).toEqual([]);
    expect(subjects(checkStreams([document], new Map()))).toContain('I10');
  });
  it('is broken by a gap, a repeated id and a version without its event', () => {
    const [a, , c] = events as [StoredEvent, StoredEvent, StoredEvent];
    expect(subjects(checkStreams([stream('x:1', {}, [a, c])], new Map()))).toContain('I10');
    expect(subjects(checkStreams([stream('x:1', {}, [a]), stream('x:2', {}, [a])], new Map()))).toEqual(['I10']);
    expect(subjects(checkStreams([stream('x:1', {}, [a], { version: 2 })], new Map()))).toEqual(['I10']);
  });
});
