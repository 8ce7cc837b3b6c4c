// Products as they come over the wire.
import { z } from 'zod';
import { Amount, Currency } from '#kit/money';
import { Instant } from '#kit/time';
import { priceKey } from './product.ts';

/** Text that stands in a path: the gateway refuses what a proxy could take for two parts or a step (encoded or not). */
export const Sku = z
  .string()
  .regex(/^(?!\.{1,2}$)[^/\\\p{Cc}]{1,64}$/u, '1 to 64 characters, neither / nor \\ nor control characters')
  .meta({ description: 'Stock keeping unit', examples: ['818980'] });
const Text = z.string().max(200);

export const ShopOrDefault = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'A shop id, or `default` for every shop without a price of its own' });

export const PriceChange = z
  .strictObject({ amount: Amount, currency: Currency, validFrom: Instant.optional() })
  .meta({ id: 'PriceChange' });

const Price = z.strictObject({ shopId: ShopOrDefault, ...PriceChange.shape }).meta({ id: 'Price' });

const Prices = z.array(Price).superRefine((prices, context) => {
  const seen = new Set<string>();
  for (const [index, price] of prices.entries()) {
    const key = priceKey(price);
    if (seen.has(key)) {
      context.addIssue({ code: 'custom', path: [index], message: 'A second price for the same shop and instant' });
    }
    seen.add(key);
  }
});

const description = {
  name: Text,
  type: Text.optional().meta({ description: 'A type without a registered schema takes any attributes' }),
  department: Text.optional(),
  category: Text.optional(),
  brand: Text.optional(),
};
const Attributes = z.record(z.string().min(1).max(64), z.unknown());

/** A product as it is answered. */
export const Product = z
  .strictObject({ sku: Sku, ...description, attributes: Attributes, prices: Prices })
  .meta({ id: 'Product' });

const written = { ...description, attributes: Attributes.default({}), prices: Prices.optional() };

const FacetValues = z.array(z.strictObject({ value: z.string(), count: z.int() }));

/** How the products that a search finds spread, most first; of each at most 100 values. */
export const Facets = z
  .strictObject({ department: FacetValues, category: FacetValues, brand: FacetValues })
  .meta({ id: 'ProductFacets' });

/** A product as it is sent. This is where the attributes of a registered type are to be checked. */
export const ProductDraft = z
  .strictObject({ sku: Sku, ...written })
  .meta({ id: 'ProductDraft', description: 'Prices that are left out stay as they are' });

/** The same under its own path, where the sku may be left out. */
export const ProductChange = z.strictObject({ sku: Sku.optional(), ...written }).meta({ id: 'ProductChange' });

/** Items are checked one by one, so that a bad one does not stop the others. */
export const Batch = z.strictObject({
  items: z
    .array(z.unknown().meta({ $ref: '#/components/schemas/ProductDraft' }))
    .min(1)
    .max(500),
});

export const BatchResult = z
  .strictObject({
    sku: z.string().meta({ description: 'As sent; empty if the item has none' }),
    outcome: z.enum(['created', 'updated', 'unchanged', 'refused']),
    code: z.string().optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'BatchResult' });
export type BatchResult = z.output<typeof BatchResult>;

/** Lax on purpose: whatever a client ordered is a question, and the answer to nonsense is `known: false`. */
const PriceQuestion = z.strictObject({
  shopId: z.string(),
  skus: z.array(z.string()).max(1_000),
  at: Instant.optional(),
});

/** Of several orders at once: under load their sidecar hops are what a price costs. */
export const PriceQuestions = z.strictObject({ questions: z.array(PriceQuestion).max(50) });

const PriceAnswer = z.strictObject({
  prices: z.array(
    z.strictObject({
      sku: z.string(),
      known: z.boolean(),
      amount: Amount.optional(),
      currency: Currency.optional(),
      department: z.string().optional(),
      name: z.string().optional(),
    }),
  ),
});

export const PriceAnswers = z.strictObject({ answers: z.array(PriceAnswer) });
