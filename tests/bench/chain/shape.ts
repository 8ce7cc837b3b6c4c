// The bare chain as one table: what our services ask of their sidecars for an order, counted on the running system
// (`npm run bench` prints both counts side by side), with nothing in between. Who changes a hop there changes it here.

/** Bytes of a JSON body: some by itself, and more with each line of the order. */
export type Size = readonly [fixed: number, perLine: number];

/** A document of a store. A name that ends in `*` is one for each line. Sizes by version; the last one stays. */
export type DocumentName =
  | 'order'
  | 'reservation'
  | 'item*'
  | 'payment'
  | 'prepared'
  | 'ledger'
  | 'product*'
  | 'notification'
  | 'account';

/** What an app asks of its sidecar, for one order (a route, a worker) or for a batch of them (a delivery). */
export type Step =
  | { readonly call: string; readonly path: string }
  /** Single strong reads. */
  | { readonly get: readonly DocumentName[] }
  /** One bulk read; a single document is read alone, as our kit does before it writes. */
  | { readonly load: readonly DocumentName[] }
  /** One bulk read, also of a single document. */
  | { readonly bulk: readonly DocumentName[] }
  /** One transaction, guarded by ETags. With a lane: one more document, read and written along. */
  | {
      readonly save: readonly DocumentName[];
      readonly drop?: readonly DocumentName[];
      readonly lane?: true;
    }
  /** A single save without a guard, kept for a day. */
  | { readonly keep: DocumentName }
  /** Through the bulk API; what comes while a call is under way goes with the next. */
  | { readonly publish: string; readonly type?: string }
  | { readonly exec: string }
  | { readonly query: string; readonly rows: number }
  /** Later, at most once in so many milliseconds. */
  | { readonly later: readonly Step[]; readonly after: number }
  /** After the answer, order by order, eight at once. */
  | { readonly work: readonly Step[] }
  /** Holds the answer back until `confirm` came for the order. */
  | { readonly wait: true }
  | { readonly confirm: true }
  /** The card provider, through the sidecar's HTTP endpoint. */
  | { readonly provider: string }
  /** Publishes what the provider tells unasked. */
  | { readonly webhook: string }
  | { readonly mail: string };

export interface Hears {
  readonly pubsub: 'pubsub-saga' | 'pubsub-views' | 'pubsub-effects';
  readonly topic: string;
  readonly most: number;
  /** Milliseconds. */
  readonly await: number;
  /** The types that mean something here, and the type that is published for each, if any; others are acknowledged. */
  readonly on: Readonly<Record<string, string>>;
  /** Only orders with a mail to be sent. */
  readonly only?: 'mail';
  readonly steps: readonly Step[];
}

export interface Role {
  /** `POST /path`. */
  readonly routes?: Readonly<Record<string, readonly Step[]>>;
  readonly hears?: readonly Hears[];
}

export interface Shape {
  readonly roles: Readonly<Record<string, Role>>;
  readonly documents: Readonly<Record<DocumentName, readonly Size[]>>;
  /** Data of an event, by type. */
  readonly events: Readonly<Record<string, Size>>;
}

const saga = (topic: string, on: Hears['on'], steps: readonly Step[] = []): Hears => ({
  ...{ pubsub: 'pubsub-saga', topic, most: 50, await: 10, on, steps },
});
const view = (topic: string, binding: string, on: readonly string[]): Hears => ({
  ...{ pubsub: 'pubsub-views', topic, most: 200, await: 500, steps: [{ exec: binding }] },
  on: Object.fromEntries(on.map((type) => [type, ''])),
});
/** The sales view follows the log of events, whatever topic they came from. */
const salesView: Step = { later: [{ exec: 'views-report' }], after: 250 };
const record = (topic: string, on: readonly string[]): Hears => ({
  ...{ pubsub: 'pubsub-views', topic, most: 200, await: 1_000 },
  on: Object.fromEntries(on.map((type) => [type, ''])),
  steps: [{ query: 'views-report', rows: 5 }, { exec: 'views-report' }, salesView],
});

/** What an order asks of others before it is accepted, and how it is written. */
const ask: readonly Step[] = [
  { get: ['order'] },
  { call: 'product', path: '/prices' },
  { call: 'payment', path: '/prepare' },
];
const place: readonly Step[] = [
  { load: ['order'] },
  { save: ['order'], lane: true },
  { publish: 'orders', type: 'placed' },
  { wait: true },
];

/** One bare order of today's system, paid by card at a till. */
export const shape: Shape = {
  roles: {
    gateway: {
      routes: {
        'POST /api/v1/orders': [{ call: 'order', path: '/orders' }],
        'GET /api/v1/orders': [{ call: 'order', path: '/order' }],
        'GET /api/v1/products': [{ call: 'product', path: '/list' }],
        'GET /api/v1/inventory': [{ call: 'inventory', path: '/item' }],
        'POST /api/v1/web-orders': [{ call: 'order', path: '/web-orders' }],
        'POST /api/v1/webhooks/provider': [{ call: 'payment-provider', path: '/webhook' }],
      },
    },
    auth: { routes: { 'POST /account': [{ get: ['account'] }] } },
    shop: {},
    product: {
      routes: {
        'POST /prices': [{ bulk: ['product*'] }],
        'POST /list': [{ query: 'views-product', rows: 21 }],
      },
    },
    order: {
      routes: {
        'POST /orders': [...ask, ...place],
        'POST /web-orders': [...ask, { call: 'inventory', path: '/availability' }, ...place],
        'POST /order': [{ get: ['order'] }],
      },
      hears: [
        saga('payments', { captured: 'confirmed' }, [
          { load: ['order'] },
          { save: ['order'] },
          { confirm: true },
          { publish: 'orders' },
        ]),
        saga('inventory', {}),
        view('orders', 'views-order', ['placed', 'confirmed']),
      ],
    },
    inventory: {
      routes: { 'POST /item': [{ get: ['item*'] }], 'POST /availability': [{ bulk: ['item*'] }] },
      hears: [
        saga('orders', { placed: 'reserved', confirmed: 'committed' }, [
          { load: ['reservation', 'item*'] },
          { save: ['reservation', 'item*'] },
          { publish: 'inventory' },
        ]),
        saga('payments', {}),
        view('inventory', 'views-inventory', ['reserved', 'committed']),
      ],
    },
    payment: {
      routes: { 'POST /prepare': [{ keep: 'prepared' }] },
      hears: [
        saga('inventory', { reserved: 'requested' }, [
          { load: ['payment'] },
          { save: ['payment'] },
          { publish: 'payments' },
          {
            work: [
              { get: ['payment'] },
              { get: ['prepared'] },
              { call: 'payment-provider', path: '/capture' },
              { load: ['payment'] },
              { save: ['payment', 'ledger'], drop: ['prepared'], lane: true },
              { publish: 'payments', type: 'captured' },
              { get: ['payment'] }, // woken once more by the provider's own event
            ],
          },
        ]),
        saga('orders', {}),
        saga('provider-events', { told: '' }),
        view('payments', 'views-payment', ['requested', 'captured']),
      ],
    },
    'payment-provider': {
      routes: {
        'POST /capture': [{ provider: '/v1/payment_intents' }],
        'POST /webhook': [{ webhook: 'provider-events' }],
      },
    },
    notification: {
      hears: [
        {
          ...{ pubsub: 'pubsub-effects', topic: 'orders', most: 50, await: 100, only: 'mail' },
          on: { confirmed: 'asked' },
          steps: [
            { load: ['notification'] },
            { save: ['notification'] },
            { publish: 'notifications' },
            {
              work: [
                { get: ['notification'] },
                { load: ['notification'] },
                { save: ['notification'], lane: true }, // the claim
                { call: 'auth', path: '/account' },
                { mail: 'mail' },
                { load: ['notification'] },
                { save: ['notification'], lane: true },
                { publish: 'notifications', type: 'sent' },
              ],
            },
          ],
        },
        view('notifications', 'views-notification', ['asked', 'sent']),
      ],
    },
    report: {
      hears: [
        record('orders', ['placed', 'confirmed']),
        record('inventory', ['reserved', 'committed']),
        record('payments', ['requested', 'captured']),
        record('notifications', ['asked', 'sent']),
      ],
    },
  },
  // As the stores of the running system held them.
  documents: {
    order: [
      [1_430, 192],
      [2_212, 288],
    ],
    reservation: [
      [855, 115],
      [1_304, 198],
    ],
    'item*': [[2_600, 0]],
    payment: [
      [1_150, 0],
      [1_755, 0],
    ],
    prepared: [[40, 0]],
    ledger: [[261, 0]],
    'product*': [[700, 0]],
    notification: [[1_600, 100]],
    account: [[300, 0]],
  },
  events: {
    placed: [705, 96],
    confirmed: [755, 96],
    reserved: [547, 84],
    committed: [449, 83],
    requested: [561, 0],
    captured: [604, 0],
    told: [300, 0],
    asked: [800, 90],
    sent: [200, 0],
  },
};
