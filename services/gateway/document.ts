// The OpenAPI 3.1 document of the whole public surface, put together at run time from what each service says of itself.
import type { Sidecar } from '#kit/dapr/sidecar';
import { type DocumentPart, isPart, problemSchema } from '#kit/http/openapi';
import type { Log } from '#kit/log';
import { routeOf, routes } from './routes.ts';

type Json = Record<string, unknown>;

/** A document is kept so long, in milliseconds; one that misses a service only a fifth of it. */
const KEEP = 5_000;

/** Answers the document, asking the services when the last one is old. */
export function documentSource(sidecar: Sidecar, log: Log): () => Promise<string> {
  const appIds = [...new Set(routes.filter(({ to }) => to === undefined).map(({ appId }) => appId))];
  let kept: { text: string; until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const parts = await Promise.all(appIds.map((appId) => partOf(sidecar, appId, log)));
    const known = parts.filter((part) => part !== undefined);
    const text = JSON.stringify(merged(known));
    kept = { text, until: Date.now() + (known.length === parts.length ? KEEP : KEEP / 5) };
    return text;
  }

  return async () => {
    if (kept && Date.now() < kept.until) return kept.text;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function partOf(
  sidecar: Sidecar,
  appId: string,
  log: Log,
): Promise<(DocumentPart & { appId: string }) | undefined> {
  try {
    const reply = await sidecar.invoke(appId, 'GET', '/internal/openapi', { timeout: 2_000 });
    const part: unknown = JSON.parse(reply.body.toString('utf8'));
    if (reply.status === 200 && isPart(part)) return { ...part, appId };
    log.warn({ appId, status: reply.status }, 'a service does not describe itself');
  } catch (error) {
    log.warn({ appId, err: error }, 'a service does not describe itself');
  }
  return undefined;
}

/** One document of the parts. Only paths that the route table sends to their service are in it. */
export function merged(parts: readonly (DocumentPart & { readonly appId: string })[]): Json {
  const paths: Record<string, Json> = { ...ownPaths };
  const schemas: Record<string, Json> = { Problem: problemSchema };
  for (const { appId, ...part } of parts) {
    const names = new Map<string, string>();
    for (const [name, schema] of Object.entries(part.schemas)) {
      const clash = schemas[name] !== undefined && JSON.stringify(schemas[name]) !== JSON.stringify(schema);
      names.set(name, clash ? `${appId.replace(/[^A-Za-z0-9]/g, '_')}_${name}` : name);
    }
    const { paths: own, schemas: named } = JSON.parse(JSON.stringify(part), (key, value) => {
      const name = key === '$ref' ? /^#\/components\/schemas\/(.+)$/.exec(value)?.[1] : undefined;
      return name === undefined ? value : `#/components/schemas/${names.get(name) ?? name}`;
    }) as DocumentPart;
    for (const [path, item] of Object.entries(own)) if (routeOf(path)?.appId === appId) paths[path] = item;
    for (const [name, schema] of Object.entries(named)) schemas[names.get(name) ?? name] = schema;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Retail ERP',
      version: '1.0.0',
      description: 'Errors are RFC 9457 problem documents with a stable `code`. Amounts are integers of minor units.',
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From /auth/login or /auth/token' },
        clientBasic: { type: 'http', scheme: 'basic', description: 'Client id and secret, for /auth/token only' },
      },
    },
  };
}

const text = (type: string) => ({ content: { [type]: { schema: { type: 'string' } } } });
const problem = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
const health = (operationId: string, summary: string) => ({
  get: {
    operationId,
    summary,
    tags: ['health'],
    security: [],
    responses: {
      200: { description: 'Yes', content: { 'application/json': { schema: { type: 'object' } } } },
      503: { description: 'Not now', content: { 'application/json': { schema: { type: 'object' } } } },
    },
  },
});

const webhook = (operationId: string) => ({
  post: {
    operationId,
    summary: 'Webhooks of the card provider',
    description: 'Signed by the provider; the body is checked byte for byte.',
    tags: ['webhooks'],
    security: [],
    parameters: [{ name: 'Stripe-Signature', in: 'header', required: true, schema: { type: 'string' } }],
    requestBody: { required: true, ...text('application/json') },
    responses: {
      200: { description: 'Taken' },
      400: { description: 'The signature does not fit', ...problem },
      413: { description: 'The body is too large', ...problem },
      429: { description: 'Too many requests', ...problem },
      503: { description: 'Not now: send again', ...problem },
    },
  },
});

/** What the gateway answers itself. */
const ownPaths: Record<string, Json> = {
  '/healthz': health('gateway_healthz', 'Is the gateway alive?'),
  '/readyz': health('gateway_readyz', 'Is every service ready?'),
  '/metrics': {
    get: {
      operationId: 'gateway_metrics',
      summary: 'Figures of the gateway',
      tags: ['health'],
      security: [],
      responses: { 200: { description: 'Prometheus text', ...text('text/plain') } },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'gateway_openapi',
      summary: 'This document',
      tags: ['health'],
      security: [],
      responses: {
        200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } },
      },
    },
  },
  '/webhooks/provider': webhook('gateway_webhook'),
  '/api/v1/webhooks/provider': webhook('gateway_webhook_v1'),
};
