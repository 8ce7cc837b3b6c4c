// The published events' JSON Schemas, kept in their owners' folders: `services/<owner>/contracts/<type>.v<n>.json`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Poison } from '../errors.ts';

const SERVICES = join(import.meta.dirname, '..', '..');

/** The part of {@link Contracts} that judges a payload. */
export type ContractCheck = Pick<Contracts, 'check'>;

/** All contracts by `<type>.v<n>`; a schema is compiled when it is first asked for. */
export class Contracts {
  readonly #files: ReadonlyMap<string, string>;
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: true, allErrors: false, allowUnionTypes: true, validateFormats: false });

  constructor(services = SERVICES) {
    const files = new Map<string, string>();
    for (const owner of readdirSync(services, { withFileTypes: true })) {
      if (!owner.isDirectory()) continue;
      const folder = join(services, owner.name, 'contracts');
      for (const file of list(folder)) files.set(file.slice(0, -'.json'.length), join(folder, file));
    }
    this.#files = files;
  }

  /** `<type>.v<n>` of every contract. */
  get names(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** @throws {Poison} there is no such contract, or the payload breaks it. */
  check(type: string, schemaVersion: number, payload: unknown): void {
    const name = `${type}.v${schemaVersion}`;
    const validate = this.#compiled.get(name) ?? this.#compile(name);
    if (validate(payload)) return;
    const [first] = validate.errors ?? [];
    throw new Poison('CONTRACT_BROKEN', { cause: new Error(`${name}: ${first?.instancePath} ${first?.message}`) });
  }

  #compile(name: string): ValidateFunction {
    const file = this.#files.get(name);
    if (file === undefined) throw new Poison('CONTRACT_UNKNOWN', { cause: new Error(name) });
    const validate = this.#ajv.compile(JSON.parse(readFileSync(file, 'utf8')));
    this.#compiled.set(name, validate);
    return validate;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
}
