// The whole system over its public surface: one mesh on real sidecars, started once; all suites; then the invariants.
// One suite alone: `-t "the order saga"`.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { checkInvariants } from '../invariants/check.ts';
import { authSuite } from './auth.ts';
import { badInputSuite } from './bad-input.ts';
import { idempotencySuite } from './idempotency.ts';
import { inventorySuite } from './inventory.ts';
import { mailSuite } from './mails.ts';
import { type OpenWorld, openWorld } from './open-world.ts';
import { orderSuite } from './orders.ts';
import { paymentSuite } from './payments.ts';
import { productSuite } from './products.ts';
import { reportSuite } from './reports.ts';
import { sagaSuite } from './saga.ts';
import { shopSuite } from './shops.ts';
import { surfaceSuite } from './surface.ts';
import { webhookSuite } from './webhooks.ts';
import type { World } from './world.ts';

jest.setTimeout(60_000);

/** Short, so that the suite sees a deadline pass; long enough for every other wait of the tests. */
const DEADLINE_SECONDS = 25;

const opened: { world?: OpenWorld } = {};
/** The suites are described before the mesh runs: each property is looked up when a test uses it. */
const world = new Proxy({} as World, {
  get(_, name) {
    if (!opened.world) throw new Error('the mesh did not start');
    return opened.world[name as keyof World];
  },
});

beforeAll(async () => {
  opened.world = await openWorld({ deadlineSeconds: DEADLINE_SECONDS });
}, 120_000);
afterAll(async () => {
  await opened.world?.close(process.env.KEEP_DATA === 'true');
}, 60_000);

// The saga first: its deadline passes while the others run.
describe('the order saga', () => sagaSuite(world));
describe('authentication', () => authSuite(world));
describe('shops', () => shopSuite(world));
describe('products', () => productSuite(world));
describe('inventory', () => inventorySuite(world));
describe('orders', () => orderSuite(world));
describe('idempotency', () => idempotencySuite(world));
describe('payments', () => paymentSuite(world));
describe('the sales report', () => reportSuite(world));
describe('mails to customers', () => mailSuite(world));
describe('webhooks of the card provider', () => webhookSuite(world));
describe('refuses', () => badInputSuite(world));
describe('the public surface', () => surfaceSuite(world));

describe('the invariants', () => {
  it('all hold', async () => {
    if (!opened.world) throw new Error('the mesh did not start');
    const violations = await checkInvariants(opened.world.mesh);
    expect(violations).toEqual([]);
  }, 90_000);
});
