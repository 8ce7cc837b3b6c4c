// Event data from the contracts' own examples, with what a test wants otherwise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, type Topic } from '../events/catalogue.ts';

const SERVICES = join(import.meta.dirname, '..', '..');
const topics: readonly Topic[] = Object.values(catalogue);
const texts = new Map<string, string>();

/**
 * A copy of the first example in the contract of an event type, in version 1. `overrides` are laid over it: objects
 * member by member at every depth, anything else (lists too) in whole. @throws {Error} no such type, or no example
 */
export function example<Data extends object = Record<string, unknown>>(type: string, overrides: object = {}): Data {
  const text = texts.get(type) ?? firstOf(type);
  texts.set(type, text);
  return merged(JSON.parse(text), overrides) as Data;
}

function firstOf(type: string): string {
  const owner = topics.find(({ types }) => types.includes(type))?.owner;
  if (owner === undefined) throw new Error(`${type} is in no topic of the catalogue`);
  const contract = readFileSync(join(SERVICES, owner, 'contracts', `${type}.v1.json`), 'utf8');
  const { examples: [first] = [] } = JSON.parse(contract) as { examples?: unknown[] };
  if (first === undefined) throw new Error(`the contract of ${type} has no example`);
  return JSON.stringify(first);
}

function merged(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return structuredClone(over);
  const members = Object.entries(over).map(([name, value]) => [name, merged(base[name], value)]);
  return { ...base, ...Object.fromEntries(members) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
