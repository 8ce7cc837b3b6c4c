// Our resiliency policies against what daprd really does with them (tests/conformance/invocation.test.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../../stack/layout.ts';

interface Policies {
  metadata: { name: string };
  spec: {
    policies: {
      timeouts?: Record<string, string>;
      retries?: Record<string, { maxRetries: number; policy: string; matching?: { httpStatusCodes: string } }>;
    };
    targets: {
      apps?: Record<string, { timeout?: string; retry?: string; circuitBreaker?: string }>;
      components?: Record<string, object>;
    };
  };
}

const ours = readdirSync(join(root, 'dapr', 'resiliency')).map(
  (file) => parse(readFileSync(join(root, 'dapr', 'resiliency', file), 'utf8')) as Policies,
);
const targets = ours.flatMap(({ metadata, spec }) =>
  Object.entries(spec.targets.apps ?? {}).map(([app, target]) => ({ policy: metadata.name, app, target, spec })),
);

test.each(targets)('our policy $policy does not lean on `matching` towards $app', ({ policy, target, spec }) => {
  const seconds = Number(/^(\d+)s$/.exec(spec.policies.timeouts?.[target.timeout ?? ''] ?? '')?.[1]);
  const retry = target.retry === undefined ? undefined : spec.policies.retries?.[target.retry];
  // A target without a time-out waits for ever; time-outs are repeated, so few retries, and none on the gateway.
  expect(seconds).toBeGreaterThan(0);
  expect(retry?.maxRetries ?? 0).toBeLessThanOrEqual(policy === 'gateway' ? 0 : 2);
  // An answer of the app is never repeated: no app of ours answers 599.
  if (retry) expect(retry.matching?.httpStatusCodes).toBe('599');
  // Whoever waits for an order waits behind the gateway's time-out.
  if (policy === 'order') expect(seconds * ((retry?.maxRetries ?? 0) + 1)).toBeLessThan(6);
});

test('our deliveries have no time-out and no breaker, and are repeated without end', () => {
  const inbound = ours.flatMap(({ spec }) => Object.values(spec.targets.components ?? {}));
  expect(inbound.length).toBeGreaterThan(0);
  for (const target of inbound) expect(target).toEqual({ inbound: { retry: 'untilTaken' } });
  const policy = ours.find(({ metadata }) => metadata.name === 'pubsub')?.spec.policies.retries?.untilTaken;
  expect(policy).toEqual({ policy: 'constant', duration: '1s', maxRetries: -1 });
});
