// The whole system over its public surface: one mesh on real sidecars, started once; all suites; then the invariants.
// One suite alone: `-t "the order saga"`.
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { checkInvariants } from '../invariants/check.ts';
import { accessSuite } from './access.ts';
import { accountSuite } from './accounts.ts';
import { authSuite } from './auth.ts';
import { badInputSuite } from './bad-input.ts';
import { deadLetterSuite } from './dead-letters.ts';
import { historySuite } from './history.ts';
import { idempotencySuite } from './idempotency.ts';
import { inventorySuite } from './inventory.ts';
import { mailSuite } from './mails.ts';
import { openWorld } from './open-world.ts';
import { orderSuite } from './orders.ts';
import { paymentSuite } from './payments.ts';
import { productSuite } from './products.ts';
import { rebuildEventsSuite } from './rebuild-events.ts';
import { reportSuite } from './reports.ts';
import { returnSuite } from './returns.ts';
import { sagaSuite } from './saga.ts';
import { shopSuite } from './shops.ts';
import { stockWorkSuite } from './stock-work.ts';
import { surfaceSuite } from './surface.ts';
import { webhookSuite } from './webhooks.ts';

jest.setTimeout(60_000);

/** Short, so that the suite sees a deadline pass; long enough for every other wait of the tests. */
const DEADLINE_SECONDS = 25;

// At the top, so that a mesh that does not start is one failure and not one of every test.
const world = await openWorld({ deadlineSeconds: DEADLINE_SECONDS });

afterAll(async () => {
  await world.close(process.env.KEEP_DATA === 'true');
}, 60_000);

// The saga first: its deadline passes while the others run.
describe('the order saga', () => sagaSuite(world));
describe('authentication', () => authSuite(world));
describe('access', () => accessSuite(world));
describe('accounts', () => accountSuite(world));
describe('shops', () => shopSuite(world));
describe('products', () => productSuite(world));
describe('inventory', () => inventorySuite(world));
describe('stock work', () => stockWorkSuite(world));
describe('orders', () => orderSuite(world));
describe('idempotency', () => idempotencySuite(world));
describe('payments', () => paymentSuite(world));
describe('fulfilment and returns', () => returnSuite(world));
describe('the sales report', () => reportSuite(world));
describe('history', () => historySuite(world));
describe('dead letters', () => deadLetterSuite(world));
describe('the log of events', () => rebuildEventsSuite(world));
describe('mails to customers', () => mailSuite(world));
describe('webhooks of the card provider', () => webhookSuite(world));
describe('refuses', () => badInputSuite(world));
describe('the public surface', () => surfaceSuite(world));

describe('the invariants', () => {
  it('all hold', async () => {
    expect(await checkInvariants(world.mesh)).toEqual([]);
  }, 90_000);
});
