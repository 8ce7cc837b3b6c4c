// The OpenAPI document of the whole public surface, made from the services' own routes without starting anything.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import supertest from 'supertest';
import { authService } from '../../services/auth/app.ts';
import { merged } from '../../services/gateway/document.ts';
import { inventoryService } from '../../services/inventory/app.ts';
import { Sidecar } from '../../services/kit/dapr/sidecar.ts';
import { type DocumentPart, isPart } from '../../services/kit/http/openapi.ts';
import { silent } from '../../services/kit/log.ts';
import { testIssuer } from '../../services/kit/testing/tokens.ts';
import { notificationService } from '../../services/notification/app.ts';
import { orderService } from '../../services/order/app.ts';
import { paymentService } from '../../services/payment/app.ts';
import { productService } from '../../services/product/app.ts';
import { reportService } from '../../services/report/app.ts';
import { shopService } from '../../services/shop/app.ts';
import { root } from '../../stack/layout.ts';
import type { Json } from './breaks.ts';

/** Where the last document that clients were given is kept. */
export const COMMITTED = 'docs/api/openapi.json';
/** Breaks that were meant, with their reasons. */
export const RECORD = 'docs/api/breaks.md';

/** The document of the last commit: what stands in the working tree may have been written a moment ago. Without git, that one. */
export function committed(): Json {
  const { status, stdout } = spawnSync('git', ['show', `HEAD:${COMMITTED}`], {
    cwd: root,
    maxBuffer: 2 ** 26,
    timeout: 10_000,
  });
  const text = status === 0 ? stdout.toString('utf8') : readFileSync(join(root, COMMITTED), 'utf8');
  return JSON.parse(text) as Json;
}

/** The document as it follows from the code, keys in order. @throws {Error} a service does not describe itself */
export async function documentOfTheCode(): Promise<Json> {
  const sidecar = new Sidecar({ port: 1, token: undefined }); // nothing is asked of it
  const { verifier } = testIssuer();
  const named = (name: string) => ({ name, sidecar, log: silent, verifier });
  const never = undefined as never; // what only handlers use
  const services = {
    auth: authService({ ...named('auth'), accounts: never, sessions: never, keys: never }),
    product: productService(named('product')),
    inventory: inventoryService({ ...named('inventory'), sweepAfterSeconds: 60 }),
    order: orderService({ ...named('order'), deadlineSeconds: 900, returnWindowDays: 30 }),
    payment: paymentService({ ...named('payment'), providerTimeout: 1_000 }),
    shop: shopService(named('shop')),
    notification: notificationService({ ...named('notification'), mailBinding: 'mail', mailTimeoutSeconds: 1 }),
    report: reportService({ ...named('report'), binding: 'views-report' }),
  };
  const parts: (DocumentPart & { appId: string })[] = [];
  for (const [appId, { app }] of Object.entries(services)) {
    const { body } = await supertest(app.callback()).get('/internal/openapi');
    if (!isPart(body)) throw new Error(`${appId} does not describe itself`);
    parts.push({ ...body, appId });
  }
  await sidecar.close();
  return inOrder(JSON.parse(JSON.stringify(merged(parts)))) as Json;
}

/** The same value with the keys of all its objects in order, so that equal documents are equal texts. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, inOrder(each)]));
}
