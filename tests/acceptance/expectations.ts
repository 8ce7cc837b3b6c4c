// What an answer of the public surface has to be, said once.
import { expect } from '@jest/globals';
import { settles } from '../client/eventually.ts';
import type { Answer, Gateway } from '../client/gateway.ts';
import type { Problem } from '../client/problem.ts';
import { getStock } from '../client/retail.ts';

/** Checks a whole problem document (RFC 9457 and ours) and answers it. `code` only where the contract names one. */
export function expectProblem(answer: Answer, status: number | readonly number[], code?: string): Problem {
  const wanted = typeof status === 'number' ? [status] : status;
  const problem = answer.body as Problem;
  if (!wanted.includes(answer.status))
    throw new Error(`expected ${wanted.join(' or ')}, got ${answer.status} ${JSON.stringify(answer.body)}`);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(problem).toMatchObject({ type: expect.any(String), title: expect.any(String), status: answer.status });
  expect(problem.code).toMatch(/^[A-Z][A-Z0-9_]*$/);
  expect(problem.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(problem.instance).toEqual(expect.any(String));
  expect(JSON.stringify(problem)).not.toMatch(/ERR_|daprd|dapr-|sidecar|at .*\.ts:\d+/);
  if (code !== undefined) expect(problem.code).toBe(code);
  if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/i);
  return problem;
}

/** Checks the status, with the body in the message when it is another. */
export function expectStatus<T>(answer: Answer<T>, status: number): Answer<T> {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

/** The `ETag`, which must be a strong one. */
export function etagOf(answer: Answer): string {
  const etag = answer.headers.etag;
  expect(etag).toMatch(/^"[^"]+"$/);
  return String(etag);
}

/** Waits until so many are on hand and none is reserved: an order is confirmed a moment before its goods leave the books. */
export function expectStock(gateway: Gateway, shopId: string, sku: string, onHand: number): Promise<void> {
  return settles(async () => {
    expect(await getStock(gateway, shopId, sku)).toMatchObject({ onHand, reserved: 0, available: onHand });
  });
}
