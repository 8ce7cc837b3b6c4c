// The list of products in PostgreSQL: searched, filtered, paged by key, counted by facet.
import type { Cache } from '#kit/dapr/cache';
import type { Message } from '#kit/events/message';
import { hashOf } from '#kit/ids';
import type { Database } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import type { Product } from './product.ts';
import {
  type FacetName,
  facetNames,
  facetsOfProducts,
  type Place,
  pageOfProducts,
  type Search,
  wordsAsked,
} from './search.ts';
import { productRow, productTable, wordRows, wordTable } from './tables.ts';

export interface ProductPage {
  readonly items: readonly Product[];
  /** Where the next page begins; undefined at the end. */
  readonly next: Place | undefined;
  /** The state of the list that was read; unknown where nothing was found. */
  readonly change: number | undefined;
}

export interface FacetValue {
  readonly value: string;
  /** Products that would be found with this value as filter. */
  readonly count: number;
}
export type Facets = Readonly<Record<FacetName, readonly FacetValue[]>>;

export interface ProductList {
  readonly projection: Projection;
  /** Up to `limit` products: by sku, or best first where words are looked for. @throws {Fault} */
  find(search: Search, limit: number, from?: Place): Promise<ProductPage>;
  /** How the products that are found spread, most first. `change`: of a page of the same search. @throws {Fault} */
  facets(search: Search, change: number | undefined): Promise<Facets>;
  /** True once the list shows that version of the product; false after a second. */
  shows(sku: string, version: number): Promise<boolean>;
}

interface Found {
  readonly product: Product;
  readonly rank?: number;
  readonly change: number;
}

export function productList(database: Database, cache: Cache): ProductList {
  const table = productTable(database);
  const rowsOf = ({ data, version }: Message<Product>) => [productRow(data, version)];

  async function count(search: Search): Promise<Facets> {
    const { sql, params } = facetsOfProducts(search);
    const rows = await database.query<FacetValue & { facet: FacetName }>(sql, params);
    const valuesOf = (name: FacetName) =>
      rows.filter(({ facet }) => facet === name).map(({ value, count }) => ({ value, count }));
    return { department: valuesOf('department'), category: valuesOf('category'), brand: valuesOf('brand') };
  }

  return {
    projection: {
      topic: 'products',
      tables: [
        { table, rows: { 'product.defined': rowsOf, 'product.priced': rowsOf } },
        { table: wordTable(database), rows: { 'product.defined': wordRows } },
      ],
    },
    shows: (sku, version) => table.reached(sku, version),
    async find(search, limit, from) {
      if (wordsAsked(search)?.length === 0) return { items: [], next: undefined, change: undefined };
      const { sql, params } = pageOfProducts(search, limit + 1, from);
      const rows = await database.query<Found>(sql, params);
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const next = last && { after: last.product.sku, rank: last.rank };
      return { items: page.map(({ product }) => product), next, change: page[0]?.change };
    },
    async facets(search, change) {
      const words = wordsAsked(search);
      if (words?.length === 0) return { department: [], category: [], brand: [] };
      if (change === undefined) return count(search);
      const filters = facetNames.map((name) => search[name] ?? null);
      return cache.through(`facets:${change}:${hashOf([words?.toSorted() ?? null, filters])}`, () => count(search));
    },
  };
}
