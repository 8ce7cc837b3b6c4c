import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { root } from './layout.ts';
import { readResources, resourceFolders, scopedTo } from './render.ts';
import { postgresSecret } from './secrets.ts';
import { deployable, relistener, selectServices, services } from './services.ts';
import { tableWithPorts } from './table.ts';

const resources = readResources(resourceFolders(root, 'local'));
const appIds = services.map(({ appId }) => appId);
const names = (appId: string, kind: string) =>
  scopedTo(resources, appId)
    .filter((resource) => resource.kind === kind)
    .map(({ name }) => name)
    .sort();

describe('the service table', () => {
  test('names each service once, by its folder', () => {
    expect(new Set(appIds).size).toBe(appIds.length);
    for (const { appId, entry } of services) expect(entry).toBe(join('services', appId, 'main.ts'));
  });

  test.each([...services, relistener])('$appId uses exactly what is scoped to it', ({
    appId,
    components,
    resiliency,
    httpEndpoints,
  }) => {
    expect(names(appId, 'Component')).toEqual([...components].sort());
    expect(names(appId, 'Resiliency')).toEqual([...resiliency].sort());
    expect(names(appId, 'HTTPEndpoint')).toEqual([...httpEndpoints].sort());
  });

  test.each(services)('$appId may read the password of each of its databases, and of no other', ({
    appId,
    databases,
  }) => {
    const asked = scopedTo(resources, appId).flatMap(({ secretNames }) => secretNames);
    expect(asked.sort()).toEqual(databases.map(postgresSecret).sort());
  });

  test('a database has one owner', () => {
    const databases = services.flatMap((service) => service.databases);
    expect(new Set(databases).size).toBe(databases.length);
  });

  test('a subset keeps the order of the table', () => {
    expect(selectServices(services, ['order', 'auth']).map(({ appId }) => appId)).toEqual(['auth', 'order']);
    expect(selectServices(services, [])).toBe(services);
  });

  test('a fixture needs only what differs', () => {
    expect(deployable('probe', { entry: null })).toMatchObject({ appId: 'probe', entry: null, readyPath: '/readyz' });
  });
});

interface ResiliencySpec {
  policies: { retries?: Record<string, { policy: string; maxRetries: number; maxInterval?: string }> };
  targets: {
    apps?: Record<string, { timeout?: string; retry?: string; circuitBreaker?: string }>;
    components?: Record<string, { inbound?: Record<string, string>; outbound?: object }>;
  };
}

describe('the resources', () => {
  const resiliency = resources
    .filter(({ kind }) => kind === 'Resiliency')
    .map(({ name, text }) => ({ name, spec: (parse(text) as { spec: ResiliencySpec }).spec }));

  test('are scoped to services that exist', () => {
    const known = [...appIds, relistener.appId];
    for (const { scopes } of resources) for (const appId of scopes) expect(known).toContain(appId);
  });

  test('repeat deliveries without end: daprd ends an exponential policy after 15 minutes', () => {
    const inbound = resiliency.flatMap(({ spec }) =>
      Object.entries(spec.targets.components ?? {}).map(([component, policy]) => ({ component, spec, ...policy })),
    );
    const pubsubs = resources.filter(({ name }) => name.startsWith('pubsub-')).map(({ name }) => name);
    expect(inbound.map(({ component }) => component).sort()).toEqual(pubsubs.sort());
    for (const { inbound: policy, spec } of inbound) {
      expect(Object.keys(policy ?? {})).toEqual(['retry']); // no time-out, no breaker
      expect(spec.policies.retries?.[policy?.retry ?? '']).toMatchObject({ policy: 'constant', maxRetries: -1 });
    }
  });

  test('give every target a time-out: without a policy of its own it has three retries of a second each', () => {
    for (const { spec } of resiliency) {
      for (const target of Object.values(spec.targets.apps ?? {})) expect(target.timeout).toEqual(expect.any(String));
    }
  });

  test('let the gateway reach every service without a retry', () => {
    const targets = resiliency.find(({ name }) => name === 'gateway')?.spec.targets.apps ?? {};
    expect(Object.keys(targets).sort()).toEqual(appIds.filter((appId) => appId !== 'gateway').sort());
    for (const target of Object.values(targets)) expect(Object.keys(target)).toEqual(['timeout']);
  });

  test('have breakers only where a refusal is a 200', () => {
    const guarded = resiliency.flatMap(({ name, spec }) =>
      Object.entries(spec.targets.apps ?? {}).flatMap(([to, { circuitBreaker }]) =>
        circuitBreaker ? [`${name} -> ${to}`] : [],
      ),
    );
    expect(guarded).toEqual(['order -> product', 'payment -> payment-provider']);
  });
});

test('other tools get the table with its ports', () => {
  const { services: rows, infrastructure } = tableWithPorts(services, 9000, resources);
  expect(rows[0]).toMatchObject({ appId: 'gateway', ports: { app: 9000 } });
  expect(rows.find(({ appId }) => appId === 'notification')?.needs).toEqual(['kfake', 'postgres', 'mail']);
  expect(infrastructure.broker).toBe(9000 + 10 * services.length);
});
