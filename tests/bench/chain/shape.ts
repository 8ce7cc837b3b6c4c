// The bare chain as one table: what our services ask of their sidecars for an order, counted on the running system
// (`npm run bench` prints both counts side by side), with nothing in between. Who changes a hop there changes it here.
import type { Hears, Save, Shape, Step, Together } from './step.ts';

/** Milliseconds that a delivery waits for company: in a saga, and where it only undoes something or nobody waits. */
const SAGA_AWAIT = 40;
const UNHURRIED_AWAIT = 250;

const saga = (topic: string, on: Hears['on'], steps: readonly Step[]): Hears => ({
  ...{ pubsub: 'pubsub-saga', topic, most: 50, await: SAGA_AWAIT, on, steps },
});
/** Heard, and means nothing for an order that goes well. */
const unhurried = (topic: string): Hears => ({ ...saga(topic, {}, []), await: UNHURRIED_AWAIT });
const view = (topic: string, binding: string, on: readonly string[]): Hears => ({
  ...{ pubsub: 'pubsub-views', topic, most: 200, await: 500, steps: [{ exec: binding }] },
  on: Object.fromEntries(on.map((type) => [type, ''])),
});
/** The sales view follows the log of events, whatever topic they came from. */
const salesView: Step = { later: [{ exec: 'views-report' }], after: 250 };
const record = (topic: string, on: readonly string[]): Hears => ({
  ...{ pubsub: 'pubsub-views', topic, most: 200, await: 500 },
  on: Object.fromEntries(on.map((type) => [type, ''])),
  steps: [{ query: 'views-report', rows: 5 }, { exec: 'views-report' }, salesView],
});

/** Several orders' in one transaction with one lane. */
const command = (save: Omit<Save, 'lane'>): Together => ({ together: [{ ...save, lane: true }], most: 24 });

/** What an order asks of others before it is accepted, and how it is written: known to be absent. */
const ask: readonly Step[] = [
  { together: [{ load: ['order'] }] },
  { together: [{ call: 'product', path: '/prices' }], most: 20, linger: 5, inTurn: true },
  { together: [{ call: 'payment', path: '/prepare' }], inTurn: true },
];
const place: readonly Step[] = [command({ save: ['order'] }), { publish: 'orders', type: 'placed' }, { wait: true }];

/** What an order touches of the stock; of long orders few fit in a transaction. */
const stock = ['reservation', 'item*'] as const;

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
        unhurried('inventory'),
        view('orders', 'views-order', ['placed', 'confirmed']),
      ],
    },
    inventory: {
      routes: { 'POST /item': [{ get: ['item*'] }], 'POST /availability': [{ bulk: ['item*'] }] },
      hears: [
        saga('orders', { placed: 'reserved', confirmed: 'committed' }, [
          { load: stock },
          { of: stock, folded: [{ load: stock }, { save: stock }, { publish: 'inventory' }] },
        ]),
        unhurried('payments'),
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
              { together: [{ load: ['prepared'] }] },
              { call: 'payment-provider', path: '/capture' },
              command({ load: ['payment'], save: ['payment', 'ledger'], drop: ['prepared'] }),
              { publish: 'payments', type: 'captured' },
            ],
          },
        ]),
        unhurried('orders'),
        unhurried('provider-events'),
        view('payments', 'views-payment', ['requested', 'captured']),
      ],
    },
    'payment-provider': {
      routes: {
        'POST /capture': [{ provider: '/v1/payment_intents' }],
        // It says what the answer has said already: acknowledged, and no more.
        'POST /webhook': [],
      },
    },
    notification: {
      hears: [
        {
          ...{ pubsub: 'pubsub-effects', topic: 'orders', most: 50, await: UNHURRIED_AWAIT, only: 'mail' },
          on: { confirmed: 'asked' },
          steps: [
            { load: ['notification'] },
            { save: ['notification'] },
            { publish: 'notifications' },
            {
              atOnce: 1,
              work: [
                { get: ['notification'] },
                command({ load: ['notification'], save: ['notification'] }), // the claim
                { call: 'auth', path: '/account' },
                { mail: 'mail' },
                command({ load: ['notification'], save: ['notification'] }),
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
    asked: [800, 90],
    sent: [200, 0],
  },
};
