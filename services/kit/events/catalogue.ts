// Every topic, who owns it and what is published on it: the broker's topics, the report's subscriptions and the docs come from here.

export interface Topic {
  /** The app-id whose streams are published here. */
  readonly owner: string;
  /** Event types, without the `retail.` prefix and the version. */
  readonly types: readonly string[];
  /** App-ids that subscribe (each has a dead-letter topic of its own). */
  readonly heardBy: readonly string[];
}

export const catalogue = {
  orders: {
    owner: 'order',
    types: [
      'order.placed',
      'order.confirmed',
      'order.cancelled',
      'order.refunded',
      'order.fulfilled',
      'order.returned',
    ],
    heardBy: ['inventory', 'payment', 'notification', 'order', 'report'],
  },
  inventory: {
    owner: 'inventory',
    types: [
      'stock.found',
      'stock.reserved',
      'stock.rejected',
      'stock.released',
      'stock.committed',
      'stock.uncommitted',
      'stock.returned',
      'stock.received',
      'stock.adjusted',
      'receipt.opened',
      'receipt.booked',
      'adjustment.opened',
      'adjustment.refused',
      'reservation.closed',
      'write-off.opened',
      'stock.written-off',
      'write-off.refused',
      'count.opened',
      'stock.counted',
      'transfer.opened',
      'stock.dispatched',
      'transfer.refused',
      'transfer.received',
      'arrival.opened',
      'stock.arrived',
      'stock.threshold-set',
      'stock.low',
    ],
    heardBy: ['order', 'payment', 'inventory', 'report'],
  },
  payments: {
    owner: 'payment',
    types: [
      'payment.requested',
      'payment.captured',
      'payment.failed',
      'payment.voided',
      'payment.cancellation-noted',
      'payment.refund-requested',
      'payment.refunded',
      'payment.return-requested',
      'payment.return-refunded',
    ],
    heardBy: ['order', 'inventory', 'payment', 'report'],
  },
  products: { owner: 'product', types: ['product.defined', 'product.priced'], heardBy: ['product', 'report'] },
  shops: { owner: 'shop', types: ['shop.opened', 'shop.changed'], heardBy: ['report'] },
  notifications: {
    owner: 'notification',
    types: ['notification.requested', 'notification.sent', 'notification.skipped'],
    heardBy: ['notification', 'report'],
  },
  access: { owner: 'auth', types: ['role.defined', 'role.removed', 'grants.changed'], heardBy: ['report'] },
  'provider-events': { owner: 'payment-provider', types: ['provider.event'], heardBy: ['payment'] },
} as const satisfies Record<string, Topic>;

export type TopicName = keyof typeof catalogue;

/** Name of the topic that takes what `appId` could not handle of `topic`. */
export function deadLetterTopic(topic: string, appId: string): string {
  return `${topic}.dead.${appId}`;
}

/** Every topic the broker must have before anything starts (kfake loses topics that were only auto-created). */
export function topicNames(): string[] {
  return Object.entries(catalogue).flatMap(([topic, { heardBy }]) => [
    topic,
    ...heardBy.map((appId) => deadLetterTopic(topic, appId)),
  ]);
}
