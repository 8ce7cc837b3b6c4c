// The catalogue's public surface, and what it answers to other services.
import { z } from 'zod';
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import { commandOrigin } from '#kit/events/command-origin';
import { At, historyOf } from '#kit/events/history';
import type { Records, Versioned } from '#kit/events/records';
import { api, created, internal, ok } from '#kit/http/api';
import { page, paged, pageOf } from '#kit/http/paging';
import { wrongField } from '#kit/http/validation';
import { putBatch } from './batch.ts';
import { pricesOf } from './prices.ts';
import { define, type Product, type ProductEvent, type ProductState, price, put } from './product.ts';
import * as schemas from './schemas.ts';
import type { ProductList } from './views.ts';

export interface Dependencies {
  readonly catalogue: Records<ProductState, ProductEvent>;
  readonly list: ProductList;
}

const write = { can: 'product:write', everywhere: true } as const;
const Text = z.string().max(200);

export function routes({ catalogue, list }: Dependencies) {
  const told = historyOf(catalogue.streams, {
    stream: ({ sku }: { sku: string }) => catalogue.of(sku),
    view: (product) => product as Product, // its first event defines it
  });
  return api('/products', { tag: 'products' })
    .get(
      '',
      {
        summary: 'Find products',
        description:
          'Best first with `q`: the exact sku, whole words, beginnings of words, mistyped words. By sku without. `facets` ' +
          'counts what is found; each heeds the filters of the others, not its own. `X-Min-Version: <sku>@<version>` ' +
          'waits for a write.',
        access: 'anyone',
        query: z.strictObject({
          q: Text.optional(),
          department: Text.optional(),
          category: Text.optional(),
          brand: Text.optional(),
          facets: z.boolean().optional(),
          ...paged(z.strictObject({ after: schemas.Sku, rank: z.int().min(0).max(9).optional() })),
        }),
        answers: { 200: pageOf(schemas.Product).extend({ facets: schemas.Facets.optional() }) },
      },
      async (call) => {
        const { cursor, limit, facets, ...search } = call.query;
        const { minVersion } = call;
        const stale = minVersion !== undefined && !(await list.shows(minVersion.id, minVersion.version));
        const { items, next, change } = await list.find(search, limit, cursor);
        return page(call, items, next, { stale }, facets ? { facets: await list.facets(search, change) } : {});
      },
    )
    .get(
      '/:sku',
      {
        summary: 'Read a product',
        access: 'anyone',
        query: z.strictObject({ at: At }),
        answers: { 200: schemas.Product },
        refusals: ['UNAUTHENTICATED', 'FORBIDDEN'],
      },
      async ({ params, query, caller }) => {
        if (query.at !== undefined) return told.at({ params, caller }, query.at);
        return answer(await catalogue.read(params.sku));
      },
    )
    .get('/:sku/events', ...told.events)
    .post(
      '',
      {
        summary: 'Define a product',
        access: write,
        takes: schemas.ProductDraft,
        answers: { 201: schemas.Product },
        refusals: ['ALREADY_EXISTS'],
      },
      async (call) => {
        const { sku } = call.body;
        const done = await catalogue.change({ id: sku, origin: commandOrigin(call) }, define, call.body);
        const location = `/api/v1/products/${encodeURIComponent(sku)}`;
        return answer(done, (product, options) => created(location, product, options));
      },
    )
    .put(
      '/:sku',
      {
        summary: 'Replace a product',
        access: write,
        guarded: true,
        takes: schemas.ProductChange,
        answers: { 200: schemas.Product },
      },
      async (call) => {
        const { sku } = call.params;
        if (call.body.sku !== undefined && call.body.sku !== sku) return wrongField('sku', 'Not the sku of the path');
        const change = { id: sku, held: call.ifMatch, origin: commandOrigin(call) };
        return answer(await catalogue.change(change, put, { ...call.body, sku }));
      },
    )
    .put(
      '/:sku/prices/:shopId',
      {
        summary: 'Set a price',
        description:
          'Of a shop, or of every shop without one of its own (`default`); replaces that of the same `validFrom`.',
        access: write,
        guarded: true,
        params: z.strictObject({ sku: z.string(), shopId: schemas.ShopOrDefault }),
        takes: schemas.PriceChange,
        answers: { 200: schemas.Product },
      },
      async (call) => {
        const { sku, shopId } = call.params;
        const change = { id: sku, held: call.ifMatch, origin: commandOrigin(call) };
        return answer(await catalogue.change(change, price, { shopId, ...call.body }));
      },
    )
    .post(
      '/batch',
      {
        summary: 'Put many products',
        description: 'Defines or replaces each item; one bad item does not stop the others. Results in the order sent.',
        access: write,
        takes: schemas.Batch,
        answers: { 200: z.strictObject({ results: z.array(schemas.BatchResult) }) },
      },
      async (call) => ok({ results: await putBatch(catalogue, call.body.items, commandOrigin(call)) }),
    );
}

/** For other services. Always 200: a breaker must not take an unknown sku for a fault. */
export function internalRoutes({ catalogue }: Dependencies) {
  return internal('/prices').post(
    '',
    {
      summary: 'Prices of many skus, for one or several orders',
      takes: schemas.PriceQuestions,
      answers: { 200: schemas.PriceAnswers },
      maxBody: 2 * 1024 * 1024,
    },
    async ({ body: { questions } }) => ok({ answers: await pricesOf(catalogue, questions) }),
  );
}

function answer(found: Versioned<ProductState> | Refusal | undefined, as: typeof ok<Product> = ok) {
  if (isRefusal(found)) return found;
  return found?.state ? as(found.state, { version: found.version }) : refuse('NOT_FOUND');
}
