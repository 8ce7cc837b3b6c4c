// A service's part of the OpenAPI 3.1 document, made from the schemas that check its requests.
import { z } from 'zod';
import type { Route, Spec } from './api.ts';
import { type Code, problems } from './problem.ts';

type Json = Record<string, unknown>;

/** Paths and components of one service; the gateway merges them. */
export interface DocumentPart {
  readonly paths: Record<string, Json>;
  readonly schemas: Record<string, Json>;
}

/** Tells whether what a service answered is a part. */
export function isPart(value: unknown): value is DocumentPart {
  const { paths, schemas } = (value ?? {}) as Partial<DocumentPart>;
  return typeof paths === 'object' && paths !== null && typeof schemas === 'object' && schemas !== null;
}

/** The schema of every problem document (RFC 9457), to which the parts refer. */
export const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'traceId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'Path of the request' },
    code: { type: 'string', description: 'Stable: the one to decide by', enum: Object.keys(problems) },
    traceId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) into the body, or `/name` of a parameter' },
          detail: { type: 'string' },
          in: { type: 'string', enum: ['query', 'path', 'header'], description: 'Absent: the body' },
        },
      },
    },
  },
};

/** The part of `service`, from its public routes. */
export function documentOf(service: string, routes: readonly Route[]): DocumentPart {
  const part: DocumentPart = { paths: {}, schemas: {} };
  for (const route of routes) {
    if (route.internal) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    part.paths[path] ??= {};
    part.paths[path][route.method.toLowerCase()] = operationOf(service, route, part.schemas);
  }
  return part;
}

function operationOf(service: string, { method, path, spec, tag }: Route, schemas: Record<string, Json>): Json {
  return {
    operationId: `${service}_${method.toLowerCase()}${path.replace(/^\/api\/v1/, '').replace(/[^A-Za-z0-9]+/g, '_')}`,
    summary: spec.summary,
    ...describe(spec),
    tags: [tag],
    security: securityOf(spec),
    parameters: parametersOf(path, spec, schemas),
    ...requestBodyOf(spec, schemas),
    responses: responsesOf(path, spec, schemas),
  };
}

function securityOf({ access = 'anyone', ownAuthorization }: Spec): Json[] {
  if (ownAuthorization) return [{}, { clientBasic: [] }];
  return access === 'anyone' ? [{}, { bearer: [] }] : [{ bearer: [] }];
}

function describe({ description, access }: Spec): Json {
  const can = typeof access === 'object' ? access.can : undefined;
  const needs =
    can === undefined
      ? undefined
      : `Needs ${[can]
          .flat()
          .map((name) => `\`${name}\``)
          .join(' or ')}${typeof access === 'object' && access.everywhere ? ' in the whole organisation' : ''}.`;
  const text = [description, needs].filter(Boolean).join('\n\n');
  return text === '' ? {} : { description: text };
}

function parametersOf(path: string, spec: Spec, schemas: Record<string, Json>): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const field = spec.params?.shape[name] as z.ZodType | undefined;
    return {
      name,
      in: 'path',
      required: true,
      schema: field ? schemaOf(field, 'input', schemas) : { type: 'string', minLength: 1 },
    };
  });
  const inQuery = Object.entries((spec.query?.shape ?? {}) as Record<string, z.ZodType>).map(([name, field]) => ({
    name,
    in: 'query',
    required: !field.safeParse(undefined).success,
    schema: schemaOf(field, 'input', schemas),
    explode: true,
  }));
  const header = (name: string, description: string, schema: Json = { type: 'string' }) => ({
    name,
    in: 'header',
    required: true,
    description,
    schema,
  });
  return [
    ...inPath,
    ...inQuery,
    ...(spec.keyed
      ? [header('Idempotency-Key', 'Makes repeats safe', { type: 'string', minLength: 1, maxLength: 255 })]
      : []),
    ...(spec.guarded ? [header('If-Match', 'The version that the change was made from, as its ETag')] : []),
  ];
}

function requestBodyOf(spec: Spec, schemas: Record<string, Json>): Json {
  if (spec.takes) {
    const required = !spec.takes.safeParse(undefined).success;
    return {
      requestBody: { required, content: { 'application/json': { schema: schemaOf(spec.takes, 'input', schemas) } } },
    };
  }
  if (!spec.raw) return {};
  return { requestBody: { required: true, content: { 'application/octet-stream': { schema: { type: 'string' } } } } };
}

function responsesOf(path: string, spec: Spec, schemas: Record<string, Json>): Json {
  const responses: Json = {};
  for (const [status, schema] of Object.entries(spec.answers)) {
    responses[status] = {
      description: descriptions[status] ?? 'Answer',
      ...(schema ? { content: { 'application/json': { schema: schemaOf(schema, 'output', schemas) } } } : {}),
    };
  }
  for (const [status, codes] of codesByStatus(path, spec)) {
    responses[status] ??= {
      description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('\n\n'),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return responses;
}

/** Every refusal that a route may give: its own and those that the builder gives for it. */
function codesByStatus(path: string, spec: Spec): Map<number, Code[]> {
  const codes = new Set<Code>(spec.refusals);
  codes
    .add('VALIDATION_FAILED')
    .add('UNAUTHENTICATED')
    .add('TOO_MANY_REQUESTS')
    .add('INTERNAL')
    .add('UNAVAILABLE')
    .add('OVERLOADED');
  if (typeof spec.access === 'object') codes.add('FORBIDDEN');
  if (path.includes(':')) codes.add('NOT_FOUND');
  if (spec.takes || spec.raw) codes.add('PAYLOAD_TOO_LARGE').add('UNSUPPORTED_MEDIA_TYPE').add('MALFORMED_REQUEST');
  if (spec.keyed) codes.add('IDEMPOTENCY_KEY_MISSING').add('IDEMPOTENCY_KEY_REUSED');
  if (spec.guarded) codes.add('PRECONDITION_REQUIRED').add('PRECONDITION_FAILED');
  const byStatus = new Map<number, Code[]>();
  for (const code of codes) byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  return new Map([...byStatus].sort(([a], [b]) => a - b));
}

const descriptions: Record<string, string> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted: the effect follows',
  204: 'Done, nothing to say',
};

/** The JSON Schema of a zod schema. Schemas with an id (`.meta({ id })`) go to the components and are referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, Json>): Json {
  const {
    $schema: _,
    $defs = {},
    ...whole
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & { $defs?: Record<string, Json> };
  const names = new Map<string, string>();
  // A schema with defaults reads differently as input and as output: the second to come takes another name.
  for (const [name, definition] of Object.entries($defs)) {
    const known = schemas[name];
    const clash = known !== undefined && JSON.stringify(known) !== JSON.stringify(renamed(definition, new Map()));
    names.set(name, clash ? `${name}${io === 'input' ? 'Input' : 'Output'}` : name);
  }
  for (const [name, definition] of Object.entries($defs))
    schemas[names.get(name) as string] = renamed(definition, names) as Json;
  return renamed(whole, names) as Json;
}

/** Points local references to the components, and drops zod's long patterns where a format says the same. */
function renamed(part: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(part)) return part.map((item) => renamed(item, names));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part)
      .filter(([key]) => !(key === 'pattern' && 'format' in part))
      .filter(([key]) => key !== 'id' || typeof (part as Json).id !== 'string' || !('type' in part))
      .map(([key, value]) => {
        const name = key === '$ref' && typeof value === 'string' ? /^#\/\$defs\/(.+)$/.exec(value)?.[1] : undefined;
        return [key, name === undefined ? renamed(value, names) : `#/components/schemas/${names.get(name) ?? name}`];
      }),
  );
}
