// Every sidecar of the real table, without its service: what daprd has loaded is what the folders declare.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Mesh, startMesh } from './mesh.ts';
import { services } from './services.ts';
import { dataFolder } from './testing/note-mesh.ts';

jest.setTimeout(90_000);

interface Metadata {
  components: { name: string }[];
  resiliencies?: { name: string }[];
  httpEndpoints?: { name: string }[];
}

const { dataDir, remove } = dataFolder();
let mesh: Mesh;
beforeAll(async () => {
  const table = services.map((service) => ({ ...service, entry: null }));
  mesh = await startMesh({ base: 'free', dataDir, table });
});
afterAll(async () => {
  await mesh?.stop();
  remove();
});

const sorted = (list: readonly { name: string }[] = []) => list.map(({ name }) => name).sort();

describe('the sidecar of', () => {
  test.each(services)('$appId has loaded all that is declared', async ({
    appId,
    components,
    resiliency,
    httpEndpoints,
  }) => {
    const loaded = (await (await mesh.sidecar(appId, '/v1.0/metadata')).json()) as Metadata;
    expect(sorted(loaded.components)).toEqual([...components].sort());
    expect(sorted(loaded.resiliencies)).toEqual([...resiliency].sort());
    expect(sorted(loaded.httpEndpoints)).toEqual([...httpEndpoints].sort());
  });

  test.each(
    services.filter(({ databases }) => databases.some((name) => name !== 'payment')),
  )('$appId reaches its own database', async ({ appId }) => {
    const body = JSON.stringify({
      operation: 'query',
      metadata: { sql: 'select current_user::text, current_database()::text' },
    });
    const answer = await mesh.sidecar(appId, `/v1.0/bindings/views-${appId}`, { method: 'POST', body });
    const own = appId === 'report' ? 'report' : `views_${appId}`;
    expect(await answer.json()).toEqual([[own, own]]);
  });

  test('payment keeps documents in PostgreSQL', async () => {
    const body = JSON.stringify([{ key: 'probe', value: { a: 1 } }]);
    const headers = { 'content-type': 'application/json' };
    expect(
      (await mesh.sidecar('payment', '/v1.0/state/statestore-payment', { method: 'POST', body, headers })).status,
    ).toBe(204);
    expect(await (await mesh.sidecar('payment', '/v1.0/state/statestore-payment/probe')).json()).toEqual({ a: 1 });
  });

  test('auth and payment-provider give out their own secrets, and no other', async () => {
    const secret = async (appId: string, name: string) => {
      const answer = await mesh.sidecar(appId, `/v1.0/secrets/secretstore/${name}`);
      return answer.ok ? ((await answer.json()) as Record<string, string>)[name] : undefined;
    };
    expect(await secret('auth', 'till-shop-343')).toBe(mesh.secrets['till-shop-343']);
    expect(await secret('payment-provider', 'provider-api-key')).toBe(mesh.secrets['provider-api-key']);
    expect(await secret('auth', 'provider-api-key')).toBeUndefined();
    expect(await secret('order', 'demo-password')).toBeUndefined();
  });
});
