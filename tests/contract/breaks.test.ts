import { describe, expect, test } from '@jest/globals';
import { breaks, type Json } from './breaks.ts';

/** A document with one route that takes and answers these schemas. */
function documentWith({ sent = {}, got = {}, more = {} }: { sent?: Json; got?: Json; more?: Json }): Json {
  const operation = {
    parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 100 } }],
    requestBody: { content: { 'application/json': { schema: { type: 'object', ...sent } } } },
    responses: { 200: { content: { 'application/json': { schema: { type: 'object', ...got } } } } },
    security: [{}, { bearer: [] }],
    ...more,
  };
  return {
    paths: { '/things': { post: operation } },
    components: { schemas: { Self: { type: 'object', properties: { next: { $ref: '#/components/schemas/Self' } } } } },
  };
}

const text = { type: 'string' };
const properties = (given: Json, required: string[] = []) => ({
  properties: given,
  required,
  additionalProperties: false,
});

test('the same document breaks nothing', () => {
  const document = documentWith({
    sent: properties({ self: { $ref: '#/components/schemas/Self' } }),
    got: properties({ a: text }, ['a']),
  });
  expect(breaks(document, structuredClone(document))).toEqual([]);
});

describe('breaks a client', () => {
  test.each<[string, Parameters<typeof documentWith>[0], Parameters<typeof documentWith>[0], string]>([
    ['a field that is sent and gone', { sent: properties({ a: text }) }, { sent: properties({}) }, '.a: is gone'],
    [
      'a field that is required now',
      { sent: properties({ a: text }) },
      { sent: properties({ a: text }, ['a']) },
      'required now',
    ],
    [
      'another type of what is sent',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { type: 'integer' } }) },
      'string is not taken',
    ],
    [
      'null that is not taken any more',
      { sent: properties({ a: { type: ['string', 'null'] } }) },
      { sent: properties({ a: text }) },
      'null is not taken',
    ],
    [
      'a value that is not taken any more',
      { sent: properties({ a: { enum: ['x', 'y'] } }) },
      { sent: properties({ a: { enum: ['x'] } }) },
      '"y" is not taken',
    ],
    [
      'values that were free',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { type: 'string', enum: ['x'] } }) },
      'not in a list',
    ],
    [
      'a shorter text',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { type: 'string', maxLength: 5 } }) },
      'maxLength is 5',
    ],
    [
      'a longer least text',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { type: 'string', minLength: 1 } }) },
      'minLength is 1',
    ],
    [
      'a higher minimum',
      { sent: properties({ a: { type: 'integer', minimum: 0 } }) },
      { sent: properties({ a: { type: 'integer', minimum: 1 } }) },
      'minimum is 1',
    ],
    [
      'a pattern',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { type: 'string', pattern: '^x' } }) },
      'another pattern',
    ],
    ['a field that is got and gone', { got: properties({ a: text }) }, { got: properties({}) }, '.a: is gone'],
    [
      'a field that may be missing',
      { got: properties({ a: text }, ['a']) },
      { got: properties({ a: text }) },
      'may be left out',
    ],
    [
      'null that is new',
      { got: properties({ a: text }) },
      { got: properties({ a: { type: ['string', 'null'] } }) },
      'null is new',
    ],
    [
      'another type inside of a list',
      { got: properties({ a: { type: 'array', items: text } }) },
      { got: properties({ a: { type: 'array', items: { type: 'integer' } } }) },
      '[]: integer is new',
    ],
    ['a status that is gone', {}, { more: { responses: { 201: {} } } }, 'never answers 200'],
    ['a token that is needed', {}, { more: { security: [{ bearer: [] }] } }, 'needs a token'],
    ['a parameter that is gone', {}, { more: { parameters: [] } }, 'takes no query limit'],
    [
      'a parameter with narrower bounds',
      {},
      { more: { parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 50 } }] } },
      'maximum is 50',
    ],
    [
      'a new required parameter',
      { more: { parameters: [] } },
      { more: { parameters: [{ name: 'who', in: 'header', required: true, schema: text }] } },
      'new and required',
    ],
    [
      'a body that is required now',
      {},
      { more: { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } } } },
      'body is required',
    ],
    [
      'members that may not be added any more',
      { sent: { properties: {}, additionalProperties: true } },
      { sent: properties({}) },
      'no other members',
    ],
    [
      'values of a map',
      { sent: { additionalProperties: text } },
      { sent: { additionalProperties: { type: 'integer' } } },
      '.*: string is not taken',
    ],
    [
      'values of a map that is got',
      { got: { additionalProperties: text } },
      { got: { additionalProperties: { type: 'integer' } } },
      '.*: integer is new',
    ],
    [
      'names of a map',
      { sent: { additionalProperties: text } },
      { sent: { additionalProperties: text, propertyNames: { type: 'string', maxLength: 3 } } },
      'names: maxLength is 3',
    ],
    [
      'another constant',
      { got: properties({ a: { const: 'x' } }) },
      { got: properties({ a: { const: 'y' } }) },
      'is "y" now',
    ],
    [
      'one more of allOf',
      { sent: { allOf: [{ type: 'object' }] } },
      { sent: { allOf: [{ type: 'object' }, { required: ['a'] }] } },
      'allOf takes less',
    ],
    [
      'alternatives that are all narrower',
      { sent: properties({ a: text }) },
      { sent: properties({ a: { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 3 }] } }) },
      'none of anyOf',
    ],
    ['one alternative less', { sent: { anyOf: [{}, {}] } }, { sent: { anyOf: [{}] } }, 'anyOf takes less'],
    [
      'multiples alone',
      { sent: properties({ a: { type: 'integer' } }) },
      { sent: properties({ a: { type: 'integer', multipleOf: 5 } }) },
      'another multipleOf',
    ],
    [
      'nothing twice',
      { sent: properties({ a: { type: 'array' } }) },
      { sent: properties({ a: { type: 'array', uniqueItems: true } }) },
      'nothing twice',
    ],
    [
      'items where anything was',
      { sent: properties({ a: { type: 'array' } }) },
      { sent: properties({ a: { type: 'array', items: text } }) },
      'anything is not taken',
    ],
    [
      'another way to authenticate',
      { more: { security: [{ bearer: [] }] } },
      { more: { security: [{ key: [] }] } },
      'not opened by bearer',
    ],
    [
      'a header of an answer that is gone',
      { more: { responses: { 200: { headers: { ETag: {} } } } } },
      { more: { responses: { 200: {} } } },
      'has no ETag',
    ],
    ['another content type', {}, { more: { requestBody: { content: { 'text/csv': {} } } } }, 'no application/json'],
  ])('%s', (_, before, after, words) => {
    expect(breaks(documentWith(before), documentWith(after))).toEqual([expect.stringContaining(words)]);
  });

  test('at every place where a schema is used', () => {
    const at = (schema: Json) => ({ post: { requestBody: { content: { 'application/json': { schema } } } } });
    const both = (schema: Json) => ({ paths: { '/a': at(schema), '/b': at(schema) } });
    expect(breaks(both({ enum: ['x', 'y'] }), both({ enum: ['x'] }))).toHaveLength(2);
  });

  test('a route or method that is gone', () => {
    expect(breaks(documentWith({}), { paths: {} })).toEqual(['POST /things: is gone']);
    expect(breaks(documentWith({}), { paths: { '/things': { get: {} } } })).toEqual(['POST /things: is gone']);
  });
});

describe('breaks nobody', () => {
  test.each<[string, Parameters<typeof documentWith>[0], Parameters<typeof documentWith>[0]]>([
    ['a new optional field', { sent: properties({}) }, { sent: properties({ a: text }) }],
    [
      'a field that need not be sent any more',
      { sent: properties({ a: text }, ['a']) },
      { sent: properties({ a: text }) },
    ],
    [
      'a new value that is taken',
      { sent: properties({ a: { enum: ['x'] } }) },
      { sent: properties({ a: { enum: ['x', 'y'] } }) },
    ],
    ['a longer text', { sent: properties({ a: { type: 'string', maxLength: 5 } }) }, { sent: properties({ a: text }) }],
    ['a new field of an answer', { got: properties({}) }, { got: properties({ a: text }, ['a']) }],
    [
      'a new value of an answer',
      { got: properties({ a: { enum: ['x'] } }) },
      { got: properties({ a: { enum: ['x', 'y'] } }) },
    ],
    [
      'an integer where a number was',
      { got: properties({ a: { type: 'number' } }) },
      { got: properties({ a: { type: 'integer' } }) },
    ],
    ['a refusal that is gone', { more: { responses: { 200: {}, 409: {} } } }, { more: { responses: { 200: {} } } }],
    ['a token that may be left out', { more: { security: [{ bearer: [] }] } }, {}],
  ])('%s', (_, before, after) => {
    expect(breaks(documentWith(before), documentWith(after))).toEqual([]);
  });
});
