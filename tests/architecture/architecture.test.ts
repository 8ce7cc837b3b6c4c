// The rules that hold the parts apart (docs/decisions, "Layout"). Each failure names the file and the rule it breaks.
import { describe, expect, test } from '@jest/globals';
import { files, read as readText, type Source, serviceOf, sources } from './sources.ts';

/** The doors to the sidecar: the kit's client, and the official card client, which has to bring its own. */
const DOORS = /^services\/(kit\/dapr\/|payment-provider\/stripe-client\.ts$)/;
/** What a file needs to speak HTTP by itself. */
const HTTP_CLIENTS = ['undici', 'node:https', 'node:http2', 'node:net', 'node:tls', '@grpc/grpc-js'];
/** What an aggregate may use of the kit at run time. */
const KIT_VALUES = ['events/aggregate', 'ids', 'money', 'time', 'errors'].map((name) => `services/kit/${name}.ts`);

const isTest = ({ path }: Source) => path.endsWith('.test.ts') || path.includes('/testing/');
const inServices = sources.filter(({ path }) => path.startsWith('services/'));
const production = inServices.filter((source) => !isTest(source));
/** Files that hold the rules of an aggregate: they define a kind of stream. */
const aggregates = production.filter(
  ({ path, text }) => serviceOf(path) !== 'kit' && /export const \w+(: StreamKind<|.*satisfies StreamKind)/.test(text),
);

/** Lists `path: why` for everything that breaks the rule, so that one failure shows them all. */
function offenders(among: readonly Source[], why: (source: Source) => readonly string[]): string[] {
  return among.flatMap((source) => why(source).map((reason) => `${source.path}: ${reason}`));
}

describe('services', () => {
  test('import nothing of another service', () => {
    const foreign = offenders(inServices, ({ path, imports }) =>
      imports
        .filter(({ target }) => {
          const owner = target === undefined ? undefined : serviceOf(target);
          return owner !== undefined && owner !== 'kit' && owner !== serviceOf(path);
        })
        .map(({ specifier }) => specifier),
    );
    expect(foreign).toEqual([]);
  });

  test('import nothing of the runner or the tests', () => {
    const wrong = offenders(production, ({ imports }) =>
      imports.filter(({ target }) => target && !target.startsWith('services/')).map(({ specifier }) => specifier),
    );
    expect(wrong).toEqual([]);
  });

  test('speak to the sidecar through the kit alone', () => {
    const speaking = offenders(
      production.filter(({ path }) => !DOORS.test(path)),
      ({ path, text, imports }) => [
        ...imports
          .filter(({ specifier, typeOnly }) => HTTP_CLIENTS.includes(specifier) && !typeOnly)
          // A server that looks after its own sockets calls nobody.
          .filter(({ specifier }) => !(specifier === 'node:net' && path.startsWith('services/kit/http/')))
          .map(({ specifier }) => specifier),
        ...(/import \{[^}]*\b(request|get|Agent)\b[^}]*\} from 'node:http'/.test(text)
          ? ['node:http as a client']
          : []),
        ...(/(?<![.#\w])fetch\(/.test(text) ? ['fetch'] : []),
      ],
    );
    expect(speaking).toEqual([]);
  });

  test('load nothing of @dapr/dapr at run time: it costs a process 30 MiB', () => {
    const loading = offenders(inServices, ({ imports }) =>
      imports.filter(({ specifier, typeOnly }) => specifier.startsWith('@dapr/') && !typeOnly).map((i) => i.specifier),
    );
    expect(loading).toEqual([]);
  });

  test('read the environment in their config alone', () => {
    const readers = offenders(
      production.filter(({ path }) => !/\/config\.ts$/.test(path)),
      ({ path, text }) =>
        // The kit's app is strict about answers under test.
        /process\.env(?!\.NODE_ENV\b)/.test(text) || (/process\.env/.test(text) && serviceOf(path) !== 'kit')
          ? ['process.env']
          : [],
    );
    expect(readers).toEqual([]);
  });
});

describe('aggregates', () => {
  test('are found', () => {
    expect(aggregates.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['services/order/order.ts', 'services/payment/payment.ts', 'services/inventory/item.ts']),
    );
  });

  test.each(aggregates.map((source) => [source.path, source] as const))('%s is pure', (_, { imports, text }) => {
    const impure = imports.filter(
      ({ target, typeOnly }) =>
        !typeOnly && !(target && (KIT_VALUES.includes(target) || aggregates.some(({ path }) => path === target))),
    );
    expect(impure.map(({ specifier }) => specifier)).toEqual([]);
    expect(text).not.toMatch(/\b(Date\.now|new Date\(\)|Math\.random|randomUUID|async |await )/);
  });
});

describe('files', () => {
  test('have names in kebab-case that say what is in them', () => {
    const names = sources.map(({ path }) => path).filter((path) => !path.endsWith('.d.mts'));
    const segments = (path: string) => path.replace(/(\.test)?\.ts$/, '').split('/');
    const plain = (segment: string) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(segment);
    const telling = (segment: string) =>
      !/^(utils?|helpers?|common|managers?|misc|shared|impl)$|-(utils?|helpers?|manager|impl)$/.test(segment);
    expect(names.filter((path) => !segments(path).every((segment) => plain(segment) && telling(segment)))).toEqual([]);
  });

  test('have fewer than 320 lines', () => {
    const long = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines >= 320)).toEqual([]);
  });

  test('begin with what they are', () => {
    const told = sources.filter(({ path }) => !/\.test\.ts$|\.d\.mts$/.test(path));
    expect(told.filter(({ text }) => !/^(#!.*\n)?\/\//.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('are used by something', () => {
    const imported = new Set(sources.flatMap(({ imports }) => imports.flatMap(({ target }) => target ?? [])));
    // Programs are started by name: from the table of services, from scripts, by tests.
    const words = files
      .filter((path) => /\.(ts|mjs|json)$/.test(path))
      .map(readText)
      .join('\n');
    const isStarted = (path: string) =>
      words.includes(`/${path.split('/').at(-1)}`) || words.includes(`'${path.split('/').at(-1)}'`);
    const unused = sources.filter(
      ({ path }) => !imported.has(path) && !/(\.test|\/main)\.ts$/.test(path) && !isStarted(path),
    );
    expect(unused.map(({ path }) => path)).toEqual([]);
  });
});
