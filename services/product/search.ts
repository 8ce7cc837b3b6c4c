// What a question to the list of products is in SQL. Only words of ours become SQL, a client's are parameters.
import type { Param } from '#kit/views/database';
import { wordsOf } from './words.ts';

/** What products are looked for. A filter that is left out lets all through. */
export interface Search {
  /** Each word of it must be a word of the product, begin one, or be one with a mistake. */
  readonly q?: string | undefined;
  readonly department?: string | undefined;
  readonly category?: string | undefined;
  readonly brand?: string | undefined;
}

/** A place in the list: after that sku, and where words were looked for, of that rank. */
export interface Place {
  readonly after: string;
  readonly rank?: number | undefined;
}

export interface Statement {
  readonly sql: string;
  readonly params: readonly Param[];
}

export const facetNames = ['department', 'category', 'brand'] as const;
export type FacetName = (typeof facetNames)[number];

/** Values of a facet that are told, those with most products. */
const MOST_VALUES = 100;

/**
 * A word that no product has may be mistyped: then those count too that become the same when one letter of each is left
 * out (two from eight letters on). A number is never taken for another.
 */
const TERMS = `asked as (
    select '''' || word || '''' as whole,
      case when char_length(word) >= 4 and word !~ '[0-9]' and not is_product_word(word) then (
        select ' | ' || string_agg('''' || id || '''', ' | ')
        from product_words where near && (select near_words(word)))
      end as near
    from unnest($1::text[]) as asked(word)),
  terms as (
    select string_agg(whole, ' & ')::tsquery as wholly, string_agg(whole || ':*', ' & ')::tsquery as beginning,
      string_agg('(' || whole || ':*' || coalesce(near, '') || ')', ' & ')::tsquery as nearly
    from asked)`;

const FOUND = 'words @@ (select nearly from terms)';

/** The exact sku, then whole words, beginnings, mistakes; a word of the name before one of the department. */
const rankOf = (sku: string) => `case
    when lower(id) = lower(${sku}) then 0
    when name_words @@ (select wholly from terms) then 1
    when words @@ (select wholly from terms) then 2
    when name_words @@ (select beginning from terms) then 3
    when words @@ (select beginning from terms) then 4
    when name_words @@ (select nearly from terms) then 5
    else 6 end`;

const CHANGE = '(select change from product_changes) as change';

/** The words that are looked for; undefined: nothing is asked of them. */
export function wordsAsked({ q }: Search): readonly string[] | undefined {
  return q?.trim() ? wordsOf(q) : undefined;
}

/**
 * One page: `product`, `rank` where words are looked for, and the number of the last `change` of the list.
 * Only the conditions that are asked for, so that the planner can pick the index that fits.
 */
export function pageOfProducts(search: Search, limit: number, from: Place | undefined): Statement {
  const words = wordsAsked(search);
  const params: Param[] = words ? [[...words]] : [];
  const add = (value: Param) => `$${params.push(value)}`;
  const conditions = filters(search, add);
  if (!words) {
    if (from) conditions.push(`id > ${add(from.after)}`);
    const sql = `select product, ${CHANGE} from products ${where(conditions)} order by id limit ${add(limit)}`;
    return { sql, params };
  }
  const found = `select id, product, ${rankOf(add(search.q?.trim() ?? ''))} as rank from products
    ${where([FOUND, ...conditions])}`;
  const after = from ? where([`(rank, id) > (${add(from.rank ?? 0)}::int, ${add(from.after)})`]) : '';
  const sql = `with ${TERMS}
    select product, rank, ${CHANGE} from (${found}) found ${after} order by rank, id limit ${add(limit)}`;
  return { sql, params };
}

/** Rows of `facet`, `value`, `count`. A facet heeds the filters of the others, not its own: it tells what else there is. */
export function facetsOfProducts(search: Search): Statement {
  const words = wordsAsked(search);
  const params: Param[] = words ? [[...words]] : [];
  const add = (value: Param) => `$${params.push(value)}`;
  const found = `found as materialized (
    select department, category, brand from products ${where(words ? [FOUND] : [])})`;
  const facets = facetNames.map((name) => {
    const conditions = filters({ ...search, [name]: undefined }, add);
    return `(select '${name}' as facet, ${name} as value, count(*) as count from found
      ${where([`${name} <> ''`, ...conditions])} group by 2 order by 3 desc, 2 limit ${MOST_VALUES})`;
  });
  return { sql: `with ${words ? `${TERMS}, ` : ''}${found} ${facets.join(' union all ')}`, params };
}

function filters(search: Search, add: (value: Param) => string): string[] {
  return facetNames.flatMap((name) => {
    const value = search[name];
    return value === undefined ? [] : [`${name} = ${add(value)}`];
  });
}

function where(conditions: readonly string[]): string {
  return conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
}
