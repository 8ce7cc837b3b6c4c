// The stories of `npm run history`: their order, their words, and what they say when something is not there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { tell } from './main.ts';
import { movementsOf } from './movements.ts';
import type { Recorded } from './sources.ts';
import { inCausalOrder, storyOf } from './story.ts';

let nth = 0;
function event(type: string, changes: Partial<Recorded> = {}): Recorded {
  nth += 1;
  return {
    ...{ id: `${type}-${nth}`, version: 1, type, at: '2026-03-01T10:00:00.000Z', actor: 'app:test' },
    ...{ correlationId: 'r-1', causationId: 'c-0', data: {}, ...changes },
  };
}

describe('the order of a story', () => {
  test('is that of causes, whatever the clocks say', () => {
    const placed = event('order.placed', { at: '2026-03-01T10:00:05.000Z' });
    const reserved = event('stock.reserved', { at: '2026-03-01T10:00:03.000Z', causationId: placed.id });
    const captured = event('payment.captured', { at: '2026-03-01T10:00:04.000Z', causationId: reserved.id });
    expect(inCausalOrder([captured, reserved, placed])).toEqual([placed, reserved, captured]);
  });

  test('keeps each stream in its own order, and ends with what contradicts itself', () => {
    const of = (service: string, version: number, at: string) => ({ ...event('x', { version, at }), service });
    const [a1, a2, b1] = [of('a', 1, '3'), of('a', 2, '1'), of('b', 1, '2')];
    expect(inCausalOrder([a2, b1, a1])).toEqual([b1, a1, a2]);
    const [one, two] = [event('x', { id: '1', causationId: '2' }), event('x', { id: '2', causationId: '1' })];
    expect(inCausalOrder([one, two])).toHaveLength(2);
  });
});

test('a story says when, who, why and what', () => {
  const placed = event('order.placed', {
    actor: 'c-1',
    data: {
      ...{ channel: 'web', shopId: 'web', net: 750, currency: 'USD', tender: { method: 'card' } },
      lines: [{ sku: 'tea', quantity: 3, unitPrice: 250, total: 750 }],
    },
  });
  const reserved = event('stock.reserved', {
    ...{ at: '2026-03-01T10:00:00.042Z', causationId: placed.id },
    data: { lines: [{ sku: 'tea', quantity: 3, onHand: 9, reserved: 4, sold: 1 }] },
  });
  const story = storyOf([
    { service: 'inventory', events: [reserved] },
    { service: 'order', events: [placed] },
    { service: 'payment', events: [], missing: 'gave no answer' },
  ]);
  expect(story).toEqual([
    '2026-03-01T10:00:00.000Z       +0 ms  order         order.placed',
    '    by c-1, because of c-0, request r-1',
    '    status: placed; web at web, 7.50 USD by card',
    '    3 x tea at 2.50 USD = 7.50 USD',
    '2026-03-01T10:00:00.042Z      +42 ms  inventory     stock.reserved',
    '    by app:test, because of order.placed (order)',
    '    tea: 3 reserved -> on hand 9, reserved 4, sold 1',
    'MISSING: the part of payment, which gave no answer',
  ]);
});

test('a shelf shows its level after every movement', () => {
  const receipt = `receipt-part:${Buffer.from('web').toString('base64url')}:${Buffer.from('d 1').toString('base64url')}:0`;
  const moves: [string, number, string][] = [
    ['item.received', 5, receipt],
    ['item.reserved', 2, 'reservation:o-1'],
    ['item.committed', 2, 'reservation:o-1'],
    ['item.adjusted', -1, 'adjustment:d2Vi:Y291bnQ'],
  ];
  const lines = movementsOf(moves.map(([type, quantity, cause]) => event(type, { data: { quantity, cause } })));
  expect(
    lines.map((line) =>
      line
        .replace(/^\S+Z {2}/, '')
        .trim()
        .replace(/ +/g, ' '),
    ),
  ).toEqual([
    'received 5 -> on hand 5, reserved 0, available 5',
    'by app:test, for receipt d 1',
    'reserved 2 -> on hand 5, reserved 2, available 3',
    'by app:test, for order o-1',
    'committed 2 -> on hand 3, reserved 0, available 3',
    'by app:test, for order o-1',
    'adjusted -1 -> on hand 2, reserved 0, available 2',
    'by app:test, for adjustment count',
  ]);
});

describe('beside a system', () => {
  let server: Server;
  let data: string;
  /** Status and body by the beginning of the path; 404 for all others. */
  let answers: Record<string, { readonly status: number; readonly body?: unknown }>;
  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'history-'));
    writeFileSync(join(data, 'secrets.json'), '{"demo-password":"word"}');
    answers = {
      '/healthz': { status: 200 },
      '/api/v1/auth/login': { status: 200, body: { accessToken: 't', expiresIn: 600 } },
    };
    server = createServer((request, response) => {
      const known = Object.entries(answers).find(([path]) => request.url?.startsWith(path))?.[1];
      const problem = { code: 'X', title: 'X', status: known?.status ?? 404 };
      response.writeHead(known?.status ?? 404, { 'content-type': 'application/json', 'retry-after': '60' });
      response.end(JSON.stringify(known?.body ?? problem));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(data, { recursive: true });
  });

  const said: string[] = [];
  const ask = (...words: string[]) => {
    said.length = 0;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return tell(words, { url, profile: 'local', data }, (line) => void said.push(line));
  };
  const page = (...items: Recorded[]) => ({ status: 200, body: { items, next: null } });

  test('what nobody knows is said to be unknown', async () => {
    answers['/api/v1/payments?'] = page();
    expect(await ask('order', 'o-1')).toBe(1);
    expect(said).toEqual(['There is no order o-1.']);
    expect(await ask('stock', 'web', 'tea')).toBe(1);
    expect(said).toEqual(['There is no stock of tea at web.']);
  });

  test('a service that is down is named, and the others tell their part', async () => {
    answers['/api/v1/payments?'] = page();
    answers['/api/v1/orders/o-1/events'] = page(event('order.refunded', { data: { amount: 5, currency: 'USD' } }));
    answers['/api/v1/reservations'] = { status: 503 };
    expect(await ask('order', 'o-1')).toBe(1);
    expect(said[0]).toBe('order o-1');
    expect(said).toContain('    payment: refunding -> refunded; 0.05 USD');
    expect(said.at(-1)).toBe('MISSING: the part of inventory, which answered 503');
    answers['/api/v1/orders'] = { status: 503 };
    delete answers['/api/v1/orders/o-1/events'];
    expect(await ask('order', 'o-1')).toBe(1);
    expect(said.at(-1)).toBe('Nothing more is known of order o-1 now.');
  });

  test('no system, another system, no right and wrong words are told apart', async () => {
    answers['/api/v1/payments'] = { status: 403 };
    await expect(ask('payment', 'p-1')).rejects.toThrow('answered 403');
    answers['/api/v1/auth/login'] = { status: 401 };
    await expect(ask('order', 'o-1')).rejects.toThrow('does not take the password of this data folder');
    await expect(
      tell(['order', 'o-1'], { url: 'http://127.0.0.1:1', profile: 'local', data }, () => {}),
    ).rejects.toThrow('Nothing answers at http://127.0.0.1:1. Start the system with "npm start"');
    rmSync(join(data, 'secrets.json'));
    await expect(ask('order', 'o-1')).rejects.toThrow('start the system first with npm start');
    for (const words of [[], ['order'], ['stock', 'web'], ['customer', 'c-1'], ['order', 'a', 'b']]) {
      await expect(ask(...words)).rejects.toThrow(/^(Say what|There is no history)/);
    }
  });
});
