// Which webhooks are believed, and what they tell.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readWebhook, SIGNATURE_TOLERANCE_SECONDS } from './webhooks.ts';

const SECRET = 'whsec_current';
const NOW = Date.UTC(2026, 0, 15, 12);

const OCCURRED_AT = '2026-01-15T12:00:00.000Z';

const INTENT = {
  id: 'pi_1',
  amount: 1299,
  amount_received: 1299,
  currency: 'usd',
  metadata: { payment_id: 'p1', order_id: 'o1' },
};
const CHARGE = {
  id: 'ch_1',
  payment_intent: 'pi_1',
  amount: 1299,
  amount_refunded: 500,
  currency: 'usd',
  metadata: INTENT.metadata,
};

function webhook(type: string, object: unknown): Buffer {
  return Buffer.from(JSON.stringify({ id: 'evt_1', object: 'event', created: NOW / 1000, type, data: { object } }));
}

function sign(body: Buffer, secret = SECRET, at = NOW / 1000): string {
  const digest = createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex');
  return `t=${at},v1=${digest}`;
}

function read(body: Buffer, signature: string | undefined, secrets = [SECRET]) {
  return readWebhook(body, signature, { secrets, toleranceSeconds: SIGNATURE_TOLERANCE_SECONDS, now: NOW });
}

describe('what it tells', () => {
  test.each([
    ['payment_intent.succeeded', INTENT, 'captured', 1299],
    ['payment_intent.payment_failed', INTENT, 'failed', 1299],
    ['payment_intent.canceled', INTENT, 'cancelled', 1299],
    ['charge.refunded', CHARGE, 'refunded', 500],
    ['charge.refunded', { ...CHARGE, payment_intent: { id: 'pi_1' } }, 'refunded', 500],
  ])('%s', (type, object, kind, amount) => {
    const body = webhook(type, object);
    expect(read(body, sign(body))).toEqual({
      verdict: 'event',
      event: {
        providerEventId: 'evt_1',
        kind,
        paymentId: 'p1',
        orderId: 'o1',
        providerRef: 'pi_1',
        amount,
        currency: 'USD',
        occurredAt: OCCURRED_AT,
      },
    });
  });

  test.each([
    ['a kind that does not concern us', 'customer.created', { id: 'cus_1' }],
    ['a payment that is not ours', 'payment_intent.succeeded', { ...INTENT, metadata: {} }],
    ['an id that no store holds', 'payment_intent.succeeded', { ...INTENT, id: 'x'.repeat(256) }],
    ['an id that is no text', 'payment_intent.succeeded', { ...INTENT, metadata: { payment_id: 7, order_id: 'o1' } }],
    ['a payment without its money', 'payment_intent.succeeded', { id: 'pi_1', metadata: INTENT.metadata }],
  ])('%s is ignored', (_name, type, object) => {
    const body = webhook(type, object);
    expect(read(body, sign(body))).toEqual({ verdict: 'ignored', type });
  });
});

describe('whether it is believed', () => {
  const body = webhook('payment_intent.succeeded', INTENT);
  const invalid = { verdict: 'refused', reason: 'SIGNATURE_INVALID' };

  test.each([
    ['no signature', undefined],
    ['an empty one', ''],
    ['no scheme that we know', sign(body).replace('v1=', 'v0=')],
    ['another secret', sign(body, 'whsec_other')],
    ['another body', sign(webhook('payment_intent.succeeded', { ...INTENT, amount: 1 }))],
    ['another time than was signed', sign(body).replace(/t=\d+/, `t=${NOW / 1000 + 1}`)],
    ['a stale one', sign(body, SECRET, NOW / 1000 - SIGNATURE_TOLERANCE_SECONDS - 1)],
    ['no time', sign(body).replace(/t=\d+,/, '')],
    ['rubbish', 'rubbish'],
  ])('%s is refused', (_name, signature) => {
    expect(read(body, signature)).toEqual(invalid);
  });

  test('one byte more is refused', () => {
    expect(read(Buffer.concat([body, Buffer.from(' ')]), sign(body))).toEqual(invalid);
  });

  test('just within the tolerance it is believed', () => {
    expect(read(body, sign(body, SECRET, NOW / 1000 - SIGNATURE_TOLERANCE_SECONDS))).toMatchObject({
      verdict: 'event',
    });
  });

  test('while the secret is changed, both are good', () => {
    expect(read(body, sign(body, 'whsec_next'), [SECRET, 'whsec_next'])).toMatchObject({ verdict: 'event' });
    const [, oldSignature] = sign(body, 'whsec_old').split(',');
    const [time, newSignature] = sign(body).split(',');
    expect(read(body, `${time},${oldSignature},${newSignature}`)).toMatchObject({ verdict: 'event' });
  });

  test('an empty secret never signs anything', () => {
    expect(read(body, sign(body, ''), [''])).toEqual(invalid);
  });

  test('a replay within the tolerance tells the same event id, so that it changes nothing', () => {
    expect(read(body, sign(body))).toEqual(read(body, sign(body)));
  });

  test('signed, but no event', () => {
    for (const text of ['not json', 'null', '[]', '{"id":"evt_1"}']) {
      const bytes = Buffer.from(text);
      expect(read(bytes, sign(bytes))).toEqual({ verdict: 'refused', reason: 'NOT_AN_EVENT' });
    }
  });
});
