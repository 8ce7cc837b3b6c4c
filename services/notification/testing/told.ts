// Something to tell, for tests.
import type { Content, Subject } from '../notification.ts';

export const subject: Subject = {
  orderId: '5b0c1e1e-8c1e-5a8b-9a50-5b0b7c1e4a11',
  template: 'order-confirmed',
  accountId: '0d5b7a52-3c64-4a0e-9d53-0a4bb3a7d6a1',
};

export const content: Content = {
  currency: 'USD',
  timeZone: 'America/New_York',
  placedAt: '2026-03-01T03:00:00.000Z',
  lines: [
    { sku: 'milk', quantity: 2, unitPrice: 199, total: 383 },
    { sku: 'bread', quantity: 1, unitPrice: 123_456, total: 123_456 },
  ],
  gross: 123_854,
  discounts: 15,
  net: 123_839,
};
