// The demo identities: four people with one password, and a till for each shop.
import type { Sidecar } from '#kit/dapr/sidecar';
import type { Accounts } from './accounts.ts';
import type { BuiltInRole } from './roles.ts';

/**
 * Makes accounts and clients what the demo says; done again it changes nothing, a changed secret is taken over.
 * @throws {Fault} store or secret store out of reach
 */
export async function ensureDemo(accounts: Accounts, sidecar: Sidecar, shops: readonly string[]): Promise<void> {
  const password = await sidecar.secret('secretstore', 'demo-password');
  const home = shops.slice(0, 1);
  const people: readonly { who: BuiltInRole; name: string; shops: readonly string[] }[] = [
    { who: 'admin', name: 'Ada Admin', shops: ['*'] },
    { who: 'manager', name: 'Mia Manager', shops: home },
    { who: 'cashier', name: 'Cas Cashier', shops: home },
    { who: 'customer', name: 'Cleo Customer', shops: [] },
  ];
  for (const { who, name, shops } of people) {
    await accounts.ensure({ email: `${who}@demo.test`, name, roles: [who], shops, password });
  }
  for (const shop of shops) {
    const id = `till-${shop}`;
    const secret = await sidecar.secret('secretstore', id);
    await accounts.ensureClient({ id, name: `Till of ${shop}`, roles: ['cashier'], shops: [shop], secret });
  }
}
