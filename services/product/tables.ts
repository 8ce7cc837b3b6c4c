// The tables of the list: a row per product, and the words that any product ever had.
import type { Message } from '#kit/events/message';
import type { Database } from '#kit/views/database';
import { type Row, Table } from '#kit/views/table';
import type { Product } from './product.ts';
import { wordsOf } from './words.ts';

export function productTable(database: Database): Table {
  return new Table(database, {
    name: 'products',
    columns: {
      // By bytes, so that the order is the same in every database.
      id: 'text collate "C"',
      version: 'bigint',
      department: 'text?',
      category: 'text?',
      brand: 'text?',
      words: 'tsvector',
      name_words: 'tsvector?',
      product: 'jsonb',
    },
    indexes: [
      'create index if not exists products_by_words on products using gin (words)',
      unlisted('products_by_words'),
      'create index if not exists products_by_department on products (department, id)',
      'create index if not exists products_by_category on products (category, id)',
      'create index if not exists products_by_brand on products (brand, id)',
      'create index if not exists products_by_facets on products (department, category, brand)',
      ...CHANGES,
    ],
    remake: { lacking: 'name_words', from: 'product', rowOf: productRow },
  });
}

/** New entries go into the index at once: in a list beside it, which every search reads, they would wait for a vacuum. */
const unlisted = (index: string) => `alter index ${index} set (fastupdate = off)`;

/**
 * A number that each change of the list makes greater, in the same transaction: who read it knows what a cached answer is
 * an answer to. It begins with the time, so that a list that was begun anew meets no number of the old one.
 */
const CHANGES = [
  'create table if not exists product_changes (one boolean primary key default true check (one), change bigint not null)',
  `insert into product_changes (change) values ((extract(epoch from clock_timestamp()) * 1000000)::bigint)
    on conflict do nothing`,
  `create or replace function products_changed() returns trigger language plpgsql as $$
    begin update product_changes set change = change + 1; return null; end $$`,
  `create or replace trigger products_changed after insert or update or delete or truncate on products
    for each statement execute function products_changed()`,
];

export function wordTable(database: Database): Table {
  return new Table(database, {
    name: 'product_words',
    columns: { id: 'text collate "C"', version: 'int' },
    indexes: [
      NEAR_WORDS,
      IS_PRODUCT_WORD,
      'alter table product_words add column if not exists near text[] generated always as (near_words(id)) stored',
      'create index if not exists product_words_by_near on product_words using gin (near)',
      unlisted('product_words_by_near'),
      `insert into product_words (id, version) select word, 1 from ts_stat('select words from products')
        where word !~ '[0-9]' and not exists (select from product_words)`,
    ],
  });
}

/** The word, and what is left of it without one letter, from eight letters on also without two. */
const NEAR_WORDS = `create or replace function near_words(word text) returns text[]
  language sql immutable strict parallel safe as $$
    with once as (
      select distinct overlay(word placing '' from n for 1) as rest from generate_series(1, char_length(word)) n
      where char_length(word) between 4 and 24),
    twice as (
      select distinct overlay(rest placing '' from n for 1) as rest
      from once, generate_series(1, char_length(rest)) n where char_length(word) >= 8)
    select array_agg(rest) from (select word as rest union select rest from once union select rest from twice) as near
  $$`;

/**
 * True while some product has the word. By the index always: the planner would rather look for the first product that has
 * it, and go through all of them for a word that none has.
 */
const IS_PRODUCT_WORD = `create or replace function is_product_word(word text) returns boolean
  language sql stable set enable_seqscan = off as $$
    select exists (select from products where words @@ ('''' || word || '''')::tsquery)
  $$`;

/** The row of a product, as any of its events has it. */
export function productRow(product: Product, version: number): Row {
  const { sku, name, type, department, category, brand } = product;
  return {
    id: sku,
    version,
    department: department ?? null,
    category: category ?? null,
    brand: brand ?? null,
    words: wordsOf(sku, name, type, department, category, brand).join(' '),
    name_words: wordsOf(name).join(' '),
    product: { ...product },
  };
}

/** A word stays when no product has it any more: then it finds none. */
export function wordRows({ data: { name, type, department, category, brand } }: Message<Product>): Row[] {
  const words = wordsOf(name, type, department, category, brand).filter((word) => !/[0-9]/.test(word));
  return words.map((id) => ({ id, version: 1 }));
}
