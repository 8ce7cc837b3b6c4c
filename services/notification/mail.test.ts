// What a customer reads.
import { describe, expect, test } from '@jest/globals';
import { mailOf, markOf, money } from './mail.ts';
import { content, subject } from './testing/told.ts';

describe('money', () => {
  test.each([
    [0, 'USD', '$0.00'],
    [5, 'USD', '$0.05'],
    [-15, 'USD', '-$0.15'],
    [123_456, 'USD', '$1,234.56'],
    [1_234, 'JPY', '¥1,234'],
    [1_234, 'KWD', 'KWD\u00a01.234'],
    [Number.MAX_SAFE_INTEGER, 'EUR', '€90,071,992,547,409.91'],
  ])('%d %s is %s', (amount, currency, text) => {
    expect(money(amount, currency)).toBe(text);
  });
});

describe('the mail of a confirmed order', () => {
  const mail = mailOf(subject, content, 'Ada');

  test('names lines, discounts and what is paid', () => {
    expect(mail.subject).toBe('Your order is confirmed (5b0c1e1e)');
    for (const text of ['Hello Ada,', 'milk', '$1.99', '$3.83', '-$0.15', '$1,238.54', '$1,238.39']) {
      expect(mail.body).toContain(text);
    }
    expect(mail.body).toContain('placed on February 28, 2026'); // on the shop's calendar
  });

  test('bears a mark that is the same for every copy', () => {
    expect(mail.body).toContain(markOf(subject));
    expect(mailOf(subject, content, 'Ada')).toEqual(mail);
  });

  test('is sent also where the time zone is unknown', () => {
    expect(mailOf(subject, { ...content, timeZone: 'No/Where' }, '').body).toContain('placed on 2026-03-01');
  });
});

test('a cancelled order says why in words, and what becomes of the money', () => {
  const cancelled = { ...subject, template: 'order-cancelled' as const };
  const body = (code: string, afterPayment: boolean) =>
    mailOf(cancelled, { ...content, cancellation: { code, afterPayment } }, '').body;
  expect(body('STOCK_INSUFFICIENT', false)).toMatch(/not in stock any more\. You pay nothing\./);
  expect(body('CUSTOMER_REQUEST', true)).toMatch(/What you paid is given back\./);
  expect(body('SOMETHING_NEW', false)).toMatch(/Your order was cancelled\./);
  expect(body('SOMETHING_NEW', false)).not.toContain('SOMETHING_NEW');
});

test('nothing that a client wrote becomes markup or a header', () => {
  const evil = `<script>"'&\r\nBcc: a@b.c`;
  const mail = mailOf(
    { ...subject, orderId: evil },
    { ...content, lines: [{ sku: evil, quantity: 1, unitPrice: 1, total: 1 }] },
    evil,
  );
  expect(mail.body).not.toContain('<script>');
  expect(mail.body).toContain('&lt;script&gt;&quot;&#39;&amp;');
  expect(mail.subject).toMatch(/^[\x20-\x7e]+$/);
});
