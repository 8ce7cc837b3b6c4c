// A notification: one thing told to one customer about one order. Pure: no clock, id or I/O.
import type { Decision, EventOf, StreamKind, StreamRef } from '#kit/events/aggregate';
import { streamOf } from '#kit/events/aggregate';

export const templates = ['order-confirmed', 'order-cancelled', 'order-returned'] as const;
export type Template = (typeof templates)[number];

/** Why nothing was sent: no such account, or nobody can be reached at its address. */
export type SkipReason = 'NO_ACCOUNT' | 'ADDRESS_INVALID' | 'ADDRESS_REFUSED';

/** What is told. Amounts in minor units of `currency`; no name and no address, which are asked for when it is sent. */
export interface Content {
  readonly currency: string;
  readonly timeZone: string;
  readonly placedAt: string;
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly unitPrice: number;
    readonly total: number;
  }[];
  readonly gross: number;
  readonly discounts: number;
  readonly net: number;
  /** Of a cancelled order. */
  readonly cancellation?: { readonly code: string; readonly afterPayment: boolean };
  /** Of goods that came back: the lines are those alone, and the sums what is given back for them. */
  readonly returned?: { readonly method: 'card' | 'cash' };
}

/** Which notification it is; every event says so. */
export interface Subject {
  readonly orderId: string;
  readonly template: Template;
  readonly accountId: string;
  /** An order may be returned in parts: each is told. */
  readonly returnId?: string;
}

export type NotificationEvent =
  | EventOf<'notification.requested', Subject & { readonly content: Content }>
  | EventOf<'notification.sent', Subject>
  | EventOf<'notification.skipped', Subject & { readonly reason: SkipReason }>;

export type Notification =
  | { readonly status: 'none' }
  | { readonly status: 'requested'; readonly subject: Subject; readonly content: Content }
  | { readonly status: 'sent' | 'skipped'; readonly subject: Subject };

export const notifications: StreamKind<Notification, NotificationEvent> = {
  name: 'notification',
  initial: { status: 'none' },
  retention: 'inline',
  topic: 'notifications',
  evolve(_, { type, data }) {
    const { orderId, template, accountId, returnId } = data;
    const subject = { orderId, template, accountId, ...(returnId !== undefined && { returnId }) };
    switch (type) {
      case 'notification.requested':
        return { status: 'requested', subject, content: data.content };
      case 'notification.sent':
        return { status: 'sent', subject };
      case 'notification.skipped':
        return { status: 'skipped', subject };
    }
  },
};

/** What names a notification. */
export type Named = Pick<Subject, 'orderId' | 'template' | 'returnId'>;

/** The id says what is told about which order, so that it cannot be told twice. */
export function idOfNotification({ orderId, template, returnId }: Named): string {
  return [orderId, template, ...(returnId === undefined ? [] : [returnId])].join(':');
}

export function notificationOf(id: string): StreamRef<Notification, NotificationEvent> {
  return streamOf(notifications, id);
}

/** Asks for it to be sent; nothing if that was asked before. */
export function ask(state: Notification, wish: Subject & { readonly content: Content }): Decision<NotificationEvent> {
  return state.status === 'none' ? [{ type: 'notification.requested', data: wish }] : [];
}

/** Notes that the mail server took it. */
export function noteSent(state: Notification): Decision<NotificationEvent> {
  return state.status === 'requested' ? [{ type: 'notification.sent', data: state.subject }] : [];
}

/** Notes that it is not sent and never will be. */
export function skip(state: Notification, reason: SkipReason): Decision<NotificationEvent> {
  return state.status === 'requested' ? [{ type: 'notification.skipped', data: { ...state.subject, reason } }] : [];
}
