import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, jest, test } from '@jest/globals';

jest.setTimeout(30_000);

const file = fileURLToPath(new URL('../testing/sample-service.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly exit: Promise<number | null>;
  /** Resolves with the first line of which `msg` begins so. */
  said(msg: string): Promise<Record<string, unknown>>;
}

describe('a service process', () => {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  function run(env: Record<string, string>): Run {
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(child);
    const lines: Record<string, unknown>[] = [];
    const waiting: { msg: string; resolve: (line: Record<string, unknown>) => void }[] = [];
    let rest = '';
    child.stdout?.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const text of parts) {
        const line = JSON.parse(text);
        lines.push(line);
        for (const { msg, resolve } of waiting) if (String(line.msg).startsWith(msg)) resolve(line);
      }
    });
    return {
      child,
      lines,
      exit: new Promise((resolve) => child.on('close', resolve)),
      said: (msg) =>
        new Promise((resolve) => {
          const known = lines.find((line) => String(line.msg).startsWith(msg));
          if (known) resolve(known);
          else waiting.push({ msg, resolve });
        }),
    };
  }

  async function settings(mode = 'good') {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return { APP_ID: 'sample', APP_PORT: String(port), DAPR_HTTP_PORT: '1', APP_API_TOKEN: 'token', SAMPLE_MODE: mode };
  }

  test('that lacks a setting says which and leaves with 1', async () => {
    const { lines, exit } = run({ ...(await settings()), APP_PORT: 'eighty', SAMPLE_MODE: '' });
    expect(await exit).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'fatal', service: 'sample' });
    expect(lines[0]?.msg).toMatch(/APP_PORT is wrong: .*SAMPLE_MODE is not set/);
    expect(JSON.stringify(lines[0])).not.toContain('eighty');
  });

  test('answers what is under way before it leaves, refuses new callers, and stops its parts last', async () => {
    const env = await settings();
    const { child, lines, exit, said } = run(env);
    await said('listening');
    const url = `http://127.0.0.1:${env.APP_PORT}`;
    const headers = { 'dapr-api-token': 'token' };
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/internal/slow/0`)).status).toBe(401);
    const slow = fetch(`${url}/internal/slow/1000`, { headers });
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGTERM');
    await said('leaving');
    await expect(fetch(`${url}/internal/slow/0`, { headers: { ...headers, connection: 'close' } })).rejects.toThrow();
    expect((await slow).status).toBe(200);
    expect(await exit).toBe(0);
    expect(lines.map(({ msg }) => msg).slice(-2)).toEqual(['leaving', 'stopped']);
  });

  test('leaves at once when idle connections are all that is left', async () => {
    const env = await settings();
    const { child, exit, said } = run(env);
    await said('listening');
    await (await fetch(`http://127.0.0.1:${env.APP_PORT}/healthz`)).text();
    const asked = Date.now();
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(Date.now() - asked).toBeLessThan(5_000);
  });

  test('dies of a rejection that nobody handles', async () => {
    const { exit, said } = run(await settings('rejects'));
    expect(await said('unhandledRejection')).toMatchObject({ level: 'fatal', err: { message: 'nobody listens' } });
    expect(await exit).toBe(1);
  });

  test('that cannot begin says why and leaves with 1', async () => {
    const { exit, said } = run(await settings('cannot-begin'));
    expect((await said('sample cannot start')).msg).toBe('sample cannot start: no lane is free');
    expect(await exit).toBe(1);
  });
});
