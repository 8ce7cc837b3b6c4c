// The routes of Stripe's API that are spoken here: which parameters each takes, and which rule of intents.ts it runs.
import type { Book } from './book.ts';
import { cardOf } from './cards.ts';
import { invalid, missing } from './errors.ts';
import { type Param, type Params, texts } from './form.ts';
import {
  cancelIntent,
  captureIntent,
  confirmIntent,
  createIntent,
  type Effect,
  refundIntent,
  type World,
} from './intents.ts';
import { type Intent, intentJson, lastCharge, type Refund, refundJson } from './objects.ts';
import { searchIntents } from './queries.ts';

/** A POST: `run` says what changes. A GET: `read` says what is there. */
export type Route = {
  params: readonly string[];
  run?(world: World, book: Book, id: string, params: Params): Effect;
  read?(book: Book, id: string, params: Params): unknown;
};

const CREATE_PARAMS = [
  'amount',
  'currency',
  'payment_method',
  'allowed_payment_method_types',
  'automatic_payment_methods',
  'confirm',
  'capture_method',
  'error_on_requires_action',
  'off_session',
  'description',
  'metadata',
  'expand',
] as const;

const INTENT = '/v1/payment_intents/:id';

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/payment_intents': { params: CREATE_PARAMS, run: create },
  [`POST ${INTENT}/confirm`]: {
    params: ['payment_method', 'error_on_requires_action', 'off_session', 'expand'],
    run: (world, book, id, params) => confirmIntent(world, intentOf(book, id), text(params, 'payment_method')),
  },
  [`POST ${INTENT}/capture`]: {
    params: ['amount_to_capture', 'expand'],
    run: (world, book, id, params) => captureIntent(world, intentOf(book, id), amount(params, 'amount_to_capture')),
  },
  [`POST ${INTENT}/cancel`]: {
    params: ['cancellation_reason', 'expand'],
    run: (world, book, id, params) => cancelIntent(world, intentOf(book, id), text(params, 'cancellation_reason')),
  },
  [`GET ${INTENT}`]: { params: ['expand'], read: (book, id) => intentJson(intentOf(book, id)) },
  'GET /v1/payment_intents': {
    params: ['limit', 'starting_after', 'expand'],
    read: (book, _id, params) => list('/v1/payment_intents', [...book.intents.values()], intentJson, params),
  },
  'GET /v1/payment_intents/search': {
    params: ['query', 'limit', 'expand'],
    read: (book, _id, params) => ({
      ...list('/v1/payment_intents/search', searchIntents(book, text(params, 'query')), intentJson, params),
      object: 'search_result',
      next_page: null,
    }),
  },
  'POST /v1/refunds': { params: ['payment_intent', 'charge', 'amount', 'reason', 'metadata', 'expand'], run: refund },
  'GET /v1/refunds': {
    params: ['payment_intent', 'charge', 'limit', 'starting_after', 'expand'],
    read: (book, _id, params) => list('/v1/refunds', refundsOf(book, params), refundJson, params),
  },
  'GET /v1/refunds/:id': {
    params: ['expand'],
    read: (book, id) => {
      const found = book.refunds.get(id);
      if (found === undefined) throw missing('refund', id, 'refund', 404);
      return refundJson(found);
    },
  },
};

/** The route of a request and the id in its path (`''` when it has none); `undefined` when there is none. */
export function findRoute(method: string, path: string): { route: Route; id: string } | undefined {
  const exact = ROUTES[`${method} ${path}`];
  if (exact !== undefined) return { route: exact, id: '' };
  const [, version, resource, id, ...rest] = path.split('/');
  const pattern = ['', version, resource, ':id', ...rest].join('/');
  const route = ROUTES[`${method} ${pattern}`];
  return route && id ? { route, id } : undefined;
}

/** Stripe refuses parameters it does not know; so a caller that misspells one is not taken for right. @throws Refusal */
export function refuseUnknown(route: Route, params: Params): void {
  for (const name of Object.keys(params)) {
    if (!route.params.includes(name)) throw invalid(`Received unknown parameter: ${name}`, name, 'parameter_unknown');
  }
}

/** Whether the card named in the request is a slow one. */
export function isSlow(params: Params): boolean {
  const token = params.payment_method;
  const card = typeof token === 'string' ? cardOf(token) : undefined;
  return card?.kind === 'good' && card.slow;
}

function create(world: World, _book: Book, _id: string, params: Params): Effect {
  const wanted = amount(params, 'amount');
  if (wanted === null) throw invalid('Missing required param: amount.', 'amount', 'parameter_missing');
  const currency = text(params, 'currency')?.toLowerCase();
  if (!currency) throw invalid('Missing required param: currency.', 'currency', 'parameter_missing');
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${currency}.`, 'currency');
  const captureMethod = text(params, 'capture_method') ?? 'automatic';
  if (!['automatic', 'automatic_async', 'manual'].includes(captureMethod)) {
    throw invalid('Invalid capture_method: must be one of automatic, automatic_async, or manual', 'capture_method');
  }
  return createIntent(world, {
    amount: wanted,
    currency,
    captureMethod: captureMethod === 'manual' ? 'manual' : 'automatic',
    metadata: metadata(params),
    paymentMethod: text(params, 'payment_method'),
    confirm: text(params, 'confirm') === 'true',
  });
}

function refund(world: World, book: Book, _id: string, params: Params): Effect {
  const charge = text(params, 'charge');
  const id = text(params, 'payment_intent') ?? [...book.intents.values()].find((i) => lastCharge(i)?.id === charge)?.id;
  if (id === undefined) {
    throw invalid("One of the following params should be provided for this request: 'payment_intent' or 'charge'.");
  }
  const intent = book.intents.get(id);
  if (intent === undefined) throw missing('payment_intent', id, 'payment_intent', 404);
  const asked = { amount: amount(params, 'amount'), reason: text(params, 'reason'), metadata: metadata(params) };
  return refundIntent(world, intent, asked);
}

function refundsOf(book: Book, params: Params): Refund[] {
  const intent = text(params, 'payment_intent');
  const charge = text(params, 'charge');
  const wanted = (r: Refund) => (intent === null || r.intent === intent) && (charge === null || r.charge === charge);
  return [...book.refunds.values()].filter(wanted);
}

/** A page, newest first. */
function list<T extends { id: string }>(url: string, oldestFirst: T[], json: (item: T) => unknown, params: Params) {
  const limit = Number(text(params, 'limit') ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw invalid('Invalid limit: must be 1 to 100', 'limit');
  const items = oldestFirst.toReversed();
  const after = text(params, 'starting_after');
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1;
  const page = items.slice(start, start + limit);
  return { object: 'list', url, has_more: start + limit < items.length, data: page.map(json) };
}

function intentOf(book: Book, id: string): Intent {
  const intent = book.intents.get(id);
  if (intent === undefined) throw missing('payment_intent', id, 'intent', 404);
  return intent;
}

/** A parameter that must be a text; an empty one means "not given", as at Stripe. @throws Refusal */
function text(params: Params, name: string): string | null {
  const value: Param | undefined = params[name];
  if (value === undefined || value === '') return null;
  if (typeof value !== 'string') throw invalid('Invalid string', name);
  return value;
}

/** Minor units, 1 to 99,999,999 (eight digits, Stripe's largest). @throws Refusal */
function amount(params: Params, name: string): number | null {
  const value = text(params, name);
  if (value === null) return null;
  if (!/^-?\d{1,15}$/.test(value)) throw invalid(`Invalid integer: ${value}`, name, 'parameter_invalid_integer');
  const units = Number(value);
  if (units < 1) throw invalid('This value must be greater than or equal to 1.', name, 'parameter_invalid_integer');
  if (units > 99_999_999) throw invalid('Amount must be no more than 99999999.', name, 'amount_too_large');
  return units;
}

/** Up to 50 entries, names up to 40 and values up to 500 characters. @throws Refusal */
function metadata(params: Params): Record<string, string> {
  const entries = Object.entries(texts(params.metadata));
  const good = entries.every(([name, value]) => name.length <= 40 && value.length <= 500);
  if (entries.length > 50 || !good) throw invalid('Metadata is too large.', 'metadata');
  return Object.fromEntries(entries);
}
