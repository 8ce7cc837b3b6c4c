// The rules of a notification as sentences.
import { describe, expect, test } from '@jest/globals';
import type { Message } from '#kit/events/message';
import { given } from '#kit/testing/given';
import { ask, type NotificationEvent, noteSent, notifications, skip } from './notification.ts';
import { reactions } from './reactions.ts';
import { content, subject } from './testing/told.ts';

const requested: NotificationEvent = { type: 'notification.requested', data: { ...subject, content } };
const sent: NotificationEvent = { type: 'notification.sent', data: subject };
const skipped: NotificationEvent = { type: 'notification.skipped', data: { ...subject, reason: 'NO_ACCOUNT' } };

describe('a notification', () => {
  test('is asked for once', () => {
    given(notifications)
      .when(ask, { ...subject, content })
      .then(requested);
    for (const history of [[requested], [requested, sent], [requested, skipped]]) {
      given(notifications, ...history)
        .when(ask, { ...subject, content })
        .then();
    }
  });

  test('is sent once', () => {
    given(notifications, requested).when(noteSent, undefined).then(sent);
    given(notifications, requested, sent).when(noteSent, undefined).then();
    given(notifications).when(noteSent, undefined).then();
  });

  test('is skipped, or sent, never both', () => {
    given(notifications, requested)
      .when(skip, 'NO_ACCOUNT' as const)
      .then(skipped);
    given(notifications, requested, sent)
      .when(skip, 'NO_ACCOUNT' as const)
      .then();
    given(notifications, requested, skipped).when(noteSent, undefined).then();
  });
});

describe('who is told', () => {
  const { orders } = reactions(() => undefined);
  const touched = (customerId: string | null) => {
    const message = { data: { orderId: 'o-1', customerId } } as Message;
    const refs = orders['order.confirmed']?.touch(message);
    return Array.isArray(refs) ? refs.map(({ key }) => key) : refs;
  };

  test('a customer with an account', () => {
    expect(touched(subject.accountId)).toEqual(['notification:o-1:order-confirmed']);
  });

  test.each([null, '', '12345', `${subject.accountId}0`, 'not-a-uuid-at-all'])('not %s', (customerId) => {
    expect(touched(customerId)).toEqual([]);
  });
});
