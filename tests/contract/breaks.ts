// What of a new OpenAPI document breaks a client that was written against the one before.

export type Json = Record<string, unknown>;

/** Whether a schema says what clients send or what they get: the same change breaks the one and not the other. */
type Direction = 'sent' | 'got';

const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Each break in words, with its place. None: every client of `before` goes on to work. */
export function breaks(before: Json, after: Json): string[] {
  return new Comparison(before, after).run();
}

class Comparison {
  readonly #before: Json;
  readonly #after: Json;
  readonly #found: string[] = [];
  /** Pairs of schemas under way or done, so that schemas that hold themselves come to an end. */
  readonly #seen = new Set<string>();

  constructor(before: Json, after: Json) {
    this.#before = before;
    this.#after = after;
  }

  run(): string[] {
    for (const [path, item] of entries(this.#before.paths)) {
      for (const method of methods) {
        const was = object(item)[method];
        if (was === undefined) continue;
        const is = object(object(this.#after.paths)[path])[method];
        const where = `${method.toUpperCase()} ${path}`;
        if (is === undefined) this.#found.push(`${where}: is gone`);
        else this.#operation(where, object(was), object(is));
      }
    }
    return this.#found;
  }

  #operation(where: string, was: Json, is: Json): void {
    this.#parameters(where, list(was.parameters), list(is.parameters));
    this.#body(where, object(was.requestBody), object(is.requestBody));
    for (const [status, response] of entries(was.responses)) {
      const now = object(is.responses)[status];
      // A status for faults may go: nobody waits for a refusal.
      if (now === undefined && Number(status) < 400) this.#found.push(`${where}: never answers ${status} any more`);
      if (now !== undefined) this.#content(`${where} ${status}`, object(response), object(now), 'got');
    }
    const open = (security: unknown) =>
      list(security).length === 0 || list(security).some((each) => entries(each).length === 0);
    if (open(was.security) && !open(is.security)) this.#found.push(`${where}: needs a token now`);
  }

  #parameters(where: string, was: readonly unknown[], is: readonly unknown[]): void {
    const named = (parameters: readonly unknown[]) =>
      new Map(parameters.map(object).map((each) => [`${each.in} ${each.name}`, each]));
    const [before, after] = [named(was), named(is)];
    for (const [name, parameter] of before) {
      const now = after.get(name);
      if (now === undefined) this.#found.push(`${where}: takes no ${name} any more`);
      else {
        if (now.required === true && parameter.required !== true) this.#found.push(`${where}: ${name} is required now`);
        this.#schema(`${where} ${name}`, parameter.schema, now.schema, 'sent');
      }
    }
    for (const [name, parameter] of after) {
      if (!before.has(name) && parameter.required === true) this.#found.push(`${where}: ${name} is new and required`);
    }
  }

  #body(where: string, was: Json, is: Json): void {
    if (is.required === true && was.required !== true) this.#found.push(`${where}: the body is required now`);
    this.#content(`${where} body`, was, is, 'sent');
  }

  #content(where: string, was: Json, is: Json, direction: Direction): void {
    for (const [type, media] of entries(was.content)) {
      const now = object(is.content)[type];
      if (now === undefined) this.#found.push(`${where}: no ${type} any more`);
      else this.#schema(where, object(media).schema, object(now).schema, direction);
    }
  }

  #schema(where: string, wasGiven: unknown, isGiven: unknown, direction: Direction): void {
    const pair = `${direction} ${JSON.stringify(wasGiven)} ${JSON.stringify(isGiven)}`;
    if (wasGiven === undefined || this.#seen.has(pair)) return;
    this.#seen.add(pair);
    const was = resolved(this.#before, wasGiven);
    const is = resolved(this.#after, isGiven);
    this.#types(where, was, is, direction);
    this.#values(where, was, is, direction);
    this.#properties(where, was, is, direction);
    if (direction === 'sent') this.#bounds(where, was, is);
    if (was.items !== undefined) this.#schema(`${where}[]`, was.items, is.items ?? {}, direction);
    this.#alternatives(where, was, is, direction);
  }

  #types(where: string, was: Json, is: Json, direction: Direction): void {
    const [before, after] = [typesOf(was), typesOf(is)];
    // What is sent must still be taken, what is got must still be expected.
    const [all, known] = direction === 'sent' ? [before, after] : [after, before];
    if (known.length === 0) return;
    const strange =
      all.length === 0
        ? ['anything']
        : all.filter((type) => !known.includes(type) && !(type === 'integer' && known.includes('number')));
    if (strange.length > 0)
      this.#found.push(`${where}: ${strange.join(', ')} is ${direction === 'sent' ? 'not taken any more' : 'new'}`);
  }

  #values(where: string, was: Json, is: Json, direction: Direction): void {
    const [before, after] = [valuesOf(was), valuesOf(is)];
    if (direction === 'sent' && after !== undefined) {
      const gone = before === undefined ? ['what is not in a list'] : before.filter((value) => !after.includes(value));
      if (gone.length > 0) this.#found.push(`${where}: ${gone.join(', ')} is not taken any more`);
    }
    // A new value in an answer is no break: clients are told to expect some (problem codes, reasons, kinds).
    if (direction === 'got' && before !== undefined && after === undefined) this.#found.push(`${where}: any value now`);
  }

  #properties(where: string, was: Json, is: Json, direction: Direction): void {
    const required = (schema: Json) => new Set(list(schema.required).map(String));
    const [before, after] = [required(was), required(is)];
    for (const [name, schema] of entries(was.properties)) {
      const now = object(is.properties)[name];
      if (now === undefined) {
        const refused = direction === 'got' || is.additionalProperties === false;
        if (refused) this.#found.push(`${where}.${name}: is gone`);
        continue;
      }
      if (direction === 'got' && before.has(name) && !after.has(name))
        this.#found.push(`${where}.${name}: may be left out now`);
      this.#schema(`${where}.${name}`, schema, now, direction);
    }
    if (direction === 'got') return;
    for (const name of after) if (!before.has(name)) this.#found.push(`${where}.${name}: is required now`);
  }

  /** Of what is sent: narrower bounds refuse what was taken. */
  #bounds(where: string, was: Json, is: Json): void {
    for (const name of ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']) {
      if (
        number(is[name], Number.NEGATIVE_INFINITY) >
        number(was[name], name.startsWith('min') && name !== 'minimum' ? 0 : Number.NEGATIVE_INFINITY)
      )
        this.#found.push(`${where}: ${name} is ${is[name]} now`);
    }
    for (const name of ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']) {
      if (number(is[name], Number.POSITIVE_INFINITY) < number(was[name], Number.POSITIVE_INFINITY))
        this.#found.push(`${where}: ${name} is ${is[name]} now`);
    }
    for (const name of ['pattern', 'format']) {
      if (is[name] !== undefined && is[name] !== was[name]) this.#found.push(`${where}: has another ${name}`);
    }
  }

  /** Alternatives in their order: to tell which of another order is which, a person has to look. */
  #alternatives(where: string, was: Json, is: Json, direction: Direction): void {
    for (const kind of ['anyOf', 'oneOf', 'allOf']) {
      const [before, after] = [list(was[kind]), list(is[kind])];
      if (before.length > after.length && direction === 'sent') this.#found.push(`${where}: takes fewer alternatives`);
      if (before.length < after.length && direction === 'got' && before.length > 0)
        this.#found.push(`${where}: has a new alternative`);
      for (const [n, schema] of before.slice(0, after.length).entries())
        this.#schema(where, schema, after[n], direction);
    }
  }
}

function resolved(document: Json, schema: unknown): Json {
  const { $ref, ...rest } = object(schema);
  if (typeof $ref !== 'string') return rest;
  const name = $ref.slice($ref.lastIndexOf('/') + 1);
  return { ...object(object(object(document.components).schemas)[name]), ...rest };
}

function typesOf({ type }: Json): string[] {
  return type === undefined ? [] : [type].flat().map(String);
}

function valuesOf(schema: Json): string[] | undefined {
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  return schema.enum === undefined ? undefined : list(schema.enum).map((value) => JSON.stringify(value));
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function entries(value: unknown): [string, unknown][] {
  return Object.entries(object(value));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
