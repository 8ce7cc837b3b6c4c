import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { StackError } from './errors.ts';
import { assertPortsFree, findFreeBase, planPorts } from './ports.ts';
import { deployable, services } from './services.ts';

const table = [deployable('gateway'), deployable('order')];

describe('the port plan', () => {
  test('gives the gateway the base and each service a block of ten', () => {
    const { apps } = planPorts(table, 8000);
    expect(apps.gateway).toEqual({
      ...{ app: 8000, daprHttp: 8001, daprGrpc: 8002, daprInternal: 8003, metrics: 8004 },
      ...{ toApp: 8005, toSidecar: 8006 },
    });
    expect(apps.order?.app).toBe(8010);
  });

  test('puts the infrastructure behind the services and replicas behind that', () => {
    const plan = planPorts(table, 8000, { order: 3 });
    expect(plan).toMatchObject({ broker: 8020, postgres: 8030, smtp: 8040, mailWeb: 8041, cardProvider: 8050 });
    expect(plan.apps['order-2']?.app).toBe(8060);
    expect(plan.apps['order-3']?.app).toBe(8070);
  });

  test('uses no port twice', () => {
    const { apps, ...rest } = planPorts(services, 8000, { order: 2, inventory: 3 });
    const ports = [...Object.values(apps).flatMap((block) => Object.values(block)), ...Object.values(rest)];
    expect(new Set(ports).size).toBe(ports.length);
  });

  test.each([80, 32_750, 1.5, Number.NaN])('refuses base %d', (base) => {
    expect(() => planPorts(table, base)).toThrow(StackError);
  });
});

describe('taken ports', () => {
  test('are named with their use and a way out', async () => {
    const base = await findFreeBase(10);
    const server = createServer().listen(base, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const wanted = new Map([
        [base, 'order, app'],
        [base + 1, 'order, daprHttp'],
      ]);
      await expect(assertPortsFree(wanted)).rejects.toMatchObject({
        message: `Port ${base} (order, app) is taken by another process.`,
        remedy: expect.stringContaining('--base'),
      });
    } finally {
      server.close();
    }
  });
});

test('a range is not given while any of its ports is taken, as by a sidecar whose app was killed', async () => {
  const taken = await findFreeBase();
  const ranges = Math.floor((32_768 - 10_000) / 400);
  const next = taken === 10_000 ? taken + 400 : taken - 400;
  const sidecar = createServer().listen(next + 3, '127.0.0.1');
  await once(sidecar, 'listening');
  try {
    const draws = [next, taken]; // the second is held since it was given out
    const draw = () => ((draws.shift() ?? 10_000 + 400 * Math.floor(Math.random() * ranges)) - 9_999) / (400 * ranges);
    const given = await findFreeBase(400, draw);
    expect(draws).toEqual([]);
    expect([next, taken]).not.toContain(given);
  } finally {
    sidecar.close();
  }
});

test('a range is given to one only, of two processes that ask in the same moment', async () => {
  const module = JSON.stringify(new URL('ports.ts', import.meta.url).href);
  // Both draw the same numbers; each holds its range until it is told to end.
  const text = `import(${module}).then(async ({ findFreeBase }) => {
    let drawn = 0;
    console.log(await findFreeBase(400, () => (drawn++ * 0.37) % 1));
    process.stdin.resume();
  })`;
  const children = [0, 1].map(() => spawn(process.execPath, ['--no-warnings', '-e', text], { stdio: 'pipe' }));
  try {
    const bases = await Promise.all(
      children.map(async ({ stdout }) => Number((await once(stdout, 'data')).toString().trim())),
    );
    expect(bases.every((base) => base >= 10_000)).toBe(true);
    expect(bases[0]).not.toBe(bases[1]);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});
