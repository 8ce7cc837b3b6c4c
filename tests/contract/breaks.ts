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
  /** Pairs of schemas under way, so that schemas that hold themselves come to an end. */
  readonly #under = new Set<string>();

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
      if (now === undefined) continue;
      this.#content(`${where} ${status}`, object(response), object(now), 'got');
      for (const [name] of entries(object(response).headers)) {
        if (object(object(now).headers)[name] === undefined)
          this.#found.push(`${where} ${status}: has no ${name} any more`);
      }
    }
    const open = (security: unknown) =>
      list(security).length === 0 || list(security).some((each) => entries(each).length === 0);
    if (open(was.security) && !open(is.security)) this.#found.push(`${where}: needs a token now`);
    const ways = ({ security }: Json) => list(security).map((each) => Object.keys(object(each)).sort().join(' and '));
    const gone = ways(was).filter((way) => way !== '' && !ways(is).includes(way));
    if (gone.length > 0 && !open(is.security))
      this.#found.push(`${where}: is not opened by ${gone.join(', ')} any more`);
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
        this.#schema(`${where} ${name}`, parameter.schema ?? {}, now.schema ?? {}, 'sent');
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
      else this.#schema(where, object(media).schema ?? {}, object(now).schema ?? {}, direction);
    }
  }

  #schema(where: string, wasGiven: unknown, isGiven: unknown, direction: Direction): void {
    const pair = `${direction} ${JSON.stringify(wasGiven)} ${JSON.stringify(isGiven)}`;
    if (this.#under.has(pair)) return;
    this.#under.add(pair);
    // No schema is one that takes and answers anything.
    const was = resolved(this.#before, wasGiven);
    const is = resolved(this.#after, isGiven);
    this.#types(where, was, is, direction);
    this.#values(where, was, is, direction);
    this.#properties(where, was, is, direction);
    this.#others(where, was, is, direction);
    if (direction === 'sent') this.#bounds(where, was, is);
    if (was.items !== undefined || is.items !== undefined) {
      this.#schema(`${where}[]`, was.items ?? {}, is.items ?? {}, direction);
    }
    this.#alternatives(where, was, is, direction);
    this.#under.delete(pair);
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
    if (direction === 'got' && was.const !== undefined && is.const !== undefined && before?.[0] !== after?.[0]) {
      this.#found.push(`${where}: is ${after?.[0]} now`);
    }
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

  /** Members beside those that are named: none any more, or of another kind (maps). */
  #others(where: string, was: Json, is: Json, direction: Direction): void {
    const [before, after] = [was.additionalProperties ?? true, is.additionalProperties ?? true];
    const concerned = [was, is].some(
      ({ type, properties, additionalProperties }) =>
        [type].flat().includes('object') || properties !== undefined || additionalProperties !== undefined,
    );
    if (!concerned) return;
    if (direction === 'sent' && before !== false && after === false)
      this.#found.push(`${where}: takes no other members`);
    const schemas = typeof before === 'object' || typeof after === 'object';
    const both = before !== false && after !== false;
    const schemaOf = (value: unknown) => (typeof value === 'object' ? value : {});
    if (schemas && both) this.#schema(`${where}.*`, schemaOf(before), schemaOf(after), direction);
    if (is.propertyNames !== undefined && direction === 'sent') {
      this.#schema(`${where} names`, was.propertyNames ?? { type: 'string' }, is.propertyNames, direction);
    }
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
    for (const name of ['pattern', 'format', 'multipleOf']) {
      if (is[name] !== undefined && is[name] !== was[name]) this.#found.push(`${where}: has another ${name}`);
    }
    if (is.uniqueItems === true && was.uniqueItems !== true) this.#found.push(`${where}: takes nothing twice`);
  }

  /** Alternatives in their order: to tell which of another order is which, a person has to look. */
  #alternatives(where: string, was: Json, is: Json, direction: Direction): void {
    for (const kind of ['anyOf', 'oneOf', 'allOf']) {
      const [before, after] = [list(was[kind]), list(is[kind])];
      // More members of `allOf` ask for more; fewer of the others take less. In answers it is the other way round.
      const [wide, narrow] = kind === 'allOf' ? [after, before] : [before, after];
      const began = before.length === 0 && kind !== 'allOf' && after.length > 0 && !entries(was).length;
      if (direction === 'sent' && (wide.length > narrow.length || began))
        this.#found.push(`${where}: ${kind} takes less`);
      if (direction === 'got' && narrow.length > wide.length && wide.length > 0)
        this.#found.push(`${where}: ${kind} answers more`);
      for (const [n, schema] of before.slice(0, after.length).entries())
        this.#schema(where, schema, after[n], direction);
      // What had one form and has several now still takes it, if the first of them does.
      if (
        kind !== 'allOf' &&
        direction === 'sent' &&
        before.length === 0 &&
        after.length > 0 &&
        typesOf(was).length > 0
      ) {
        const taken = after.some((schema) => new Comparison(this.#before, this.#after).takes(was, schema));
        if (!taken) this.#found.push(`${where}: none of ${kind} takes what was taken`);
      }
    }
  }

  /** True if everything that the one schema takes the other takes, too. */
  takes(was: unknown, is: unknown): boolean {
    this.#schema('', was, is, 'sent');
    return this.#found.length === 0;
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
