// Who is behind an internal call: written down, and the scope of its keys.
import { expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { silent } from '../log.ts';
import { testIssuer } from '../testing/tokens.ts';
import { api, internal, ok, type Spec } from './api.ts';
import { createApp } from './app.ts';

const Seen = z.strictObject({ actor: z.string(), commandId: z.string() });
const spec = { summary: 'Who', keyed: true, answers: { 200: Seen } } as const satisfies Spec;
const routes = [
  internal('/who').post('', spec, ({ origin: { actor }, commandId }) => ok({ actor, commandId })),
  api('/who', { tag: 'who' }).post('', { ...spec, access: 'anyone' }, ({ origin: { actor }, commandId }) =>
    ok({ actor, commandId }),
  ),
];
const app = createApp({ name: 'who', log: silent, routes, verifier: testIssuer().verifier }).callback();

async function seen(path: string, caller?: string): Promise<z.output<typeof Seen>> {
  const sent = request(app).post(path).set('idempotency-key', 'sale-1');
  const { body } = await (caller === undefined ? sent : sent.set('dapr-caller-app-id', caller));
  return body;
}

test('a service is named, and its keys are its own', async () => {
  const [machines, shop] = [await seen('/internal/who', 'vm-service'), await seen('/internal/who', 'shop')];
  expect([machines.actor, shop.actor]).toEqual(['app:vm-service', 'app:shop']);
  expect(machines.commandId).not.toBe(shop.commandId);
  expect(await seen('/internal/who', 'vm-service')).toEqual(machines);
});

test.each([undefined, 'shop,admin', '', 'a b'])('%p tells nothing', async (caller) => {
  expect((await seen('/internal/who', caller)).actor).toBe('anonymous');
});

test('at a public route the word of a sidecar counts for nothing', async () => {
  expect((await seen('/api/v1/who', 'shop')).actor).toBe('anonymous');
});
