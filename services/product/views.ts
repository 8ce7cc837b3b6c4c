// The list of products in PostgreSQL: a row per product, replaced by each newer event.
import type { Message } from '#kit/events/message';
import type { Database, Param } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import { Table } from '#kit/views/table';
import type { Product } from './product.ts';
import { wordsOf } from './words.ts';

export interface ProductQuery {
  /** Words, each of which must begin a word of the product. */
  readonly q?: string | undefined;
  readonly department?: string | undefined;
  readonly category?: string | undefined;
  readonly limit: number;
  /** The last sku of the page before. */
  readonly after?: string | undefined;
}

export interface ProductList {
  readonly projection: Projection;
  /** Up to `limit` products by sku, and whether more follow. @throws {Fault} */
  find(query: ProductQuery): Promise<{ readonly items: readonly Product[]; readonly more: boolean }>;
  /** True once the list shows that version of the product; false after a second. */
  shows(sku: string, version: number): Promise<boolean>;
}

export function productList(database: Database): ProductList {
  const table = new Table(database, {
    name: 'products',
    columns: {
      // By bytes, so that the order is the same in every database.
      id: 'text collate "C"',
      version: 'bigint',
      department: 'text?',
      category: 'text?',
      words: 'tsvector',
      product: 'jsonb',
    },
    indexes: [
      'create index if not exists products_by_words on products using gin (words)',
      'create index if not exists products_by_department on products (department, id)',
      'create index if not exists products_by_category on products (category, id)',
    ],
  });
  return {
    projection: {
      topic: 'products',
      tables: [{ table, rows: { 'product.defined': rowsOf, 'product.priced': rowsOf } }],
    },
    shows: (sku, version) => table.reached(sku, version),
    async find(query) {
      const words = query.q ? wordsOf(query.q) : undefined;
      if (words?.length === 0) return { items: [], more: false };
      const { sql, params } = selection(query, words);
      const rows = await database.query<{ product: Product }>(sql, params);
      return { items: rows.slice(0, query.limit).map(({ product }) => product), more: rows.length > query.limit };
    },
  };
}

function rowsOf({ version, data: product }: Message<Product>) {
  const { sku, name, type, department, category, brand } = product;
  const words = wordsOf(sku, name, type, department, category, brand).join(' ');
  return [
    {
      id: sku,
      version,
      department: department ?? null,
      category: category ?? null,
      words,
      product: { ...product },
    },
  ];
}

/** Only the conditions that are asked for, so that the planner can pick the index that fits. */
function selection(
  { department, category, after, limit }: ProductQuery,
  words: readonly string[] | undefined,
): { sql: string; params: Param[] } {
  const params: Param[] = [];
  const conditions: string[] = [];
  const where = (condition: string, value: Param | undefined) => {
    if (value === undefined) return;
    params.push(value);
    conditions.push(condition.replace('?', `$${params.length}`));
  };
  where('words @@ ?::tsquery', words?.map((word) => `${word}:*`).join(' & '));
  where('department = ?', department);
  where('category = ?', category);
  where('id > ?', after);
  params.push(limit + 1);
  const filter = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return { sql: `select product from products ${filter} order by id limit $${params.length}`, params };
}
