// What holds for the files beside the code: contracts, Dapr resources, packages, and nothing of anybody's own machine.
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { routeOf } from '../../services/gateway/routes.ts';
import { catalogue, type Topic } from '../../services/kit/events/catalogue.ts';
import { relistener, services } from '../../stack/services.ts';
import { files, read, serviceOf, sources } from './sources.ts';

describe('contracts', () => {
  const contracts = files
    .map((path) => /^services\/([^/]+)\/contracts\/(.+)\.v(\d+)\.json$/.exec(path))
    .filter((match) => match !== null)
    .map(([path, owner, type]) => ({ path, owner, type }));
  const published = Object.values(catalogue as Record<string, Topic>).flatMap(({ owner, types }) =>
    types.map((type) => ({ owner, type })),
  );

  test('every published type has one in the folder of its owner', () => {
    const missing = published.filter(
      ({ owner, type }) => !contracts.some((contract) => contract.owner === owner && contract.type === type),
    );
    expect(missing).toEqual([]);
  });

  test('every contract is of a type that its owner publishes', () => {
    const idle = contracts.filter(
      ({ owner, type }) => !published.some((each) => each.owner === owner && each.type === type),
    );
    expect(idle).toEqual([]);
  });

  test('every contract says what it is, and lets later versions add fields', () => {
    for (const { path } of contracts) {
      const schema = JSON.parse(read(path)) as Record<string, unknown>;
      expect({ path, ...schema }).toMatchObject({
        $id: path
          .split('/')
          .at(-1)
          ?.replace(/\.json$/, ''),
        type: 'object',
        description: expect.any(String),
      });
      expect({ path, closed: schema.additionalProperties === false }).toEqual({ path, closed: false });
    }
  });

  test('none carries personal data: events are kept for ever, so who it is, is asked of the owner', () => {
    const named = contracts.flatMap(({ path }) =>
      [...read(path).matchAll(/"(e-?mail|phone|(first|last|full|customer)name|birthday|street|postcode|iban)":/gi)].map(
        ([, name]) => `${path}: ${name}`,
      ),
    );
    expect(named).toEqual([]);
  });

  test('topics are heard by services that exist', () => {
    const known = services.map(({ appId }) => appId);
    for (const { owner, heardBy } of Object.values(catalogue as Record<string, Topic>)) {
      expect(known).toEqual(expect.arrayContaining([owner, ...heardBy]));
    }
  });
});

describe('Dapr resources', () => {
  const resources = files.filter((path) =>
    /^(components\/[^/]+|dapr\/(resiliency|http-endpoints))\/.*\.yaml$/.test(path),
  );
  const known = [...services, relistener].map(({ appId }) => appId);

  test('are found', () => {
    expect(resources.length).toBeGreaterThan(15);
  });

  test.each(resources)('%s holds one resource, under its own name, for services that exist', (path) => {
    const documents = parseAllDocuments(read(path));
    expect(documents).toHaveLength(1); // daprd ignores a Resiliency that is not the first of its file
    const manifest = documents[0]?.toJS() as { kind: string; metadata: { name: string }; scopes?: string[] };
    expect(path).toContain(`/${manifest.metadata.name}.yaml`);
    expect(manifest.scopes?.length).toBeGreaterThan(0);
    expect(known).toEqual(expect.arrayContaining(manifest.scopes ?? []));
  });

  test.each(resources.filter((path) => path.startsWith('components/')))('%s holds no password', (path) => {
    const manifest = parseAllDocuments(read(path))[0]?.toJS() as {
      spec: { type: string; metadata: { name: string; value?: unknown; secretKeyRef?: unknown }[] };
    };
    for (const { name, value } of manifest.spec.metadata) {
      if (/password|secret|token|key$/i.test(name) && name !== 'secretsFile') expect(value).toBeUndefined();
      expect(String(value ?? '')).not.toMatch(/password=/);
    }
  });

  test('no store, topic class or binding is open to a service that does not declare it', () => {
    const declared = new Map([...services, relistener].map(({ appId, components }) => [appId, [...components].sort()]));
    const scoped = new Map<string, string[]>(known.map((appId) => [appId, []]));
    for (const path of resources.filter((each) => each.startsWith('components/local/'))) {
      const manifest = parseAllDocuments(read(path))[0]?.toJS() as { metadata: { name: string }; scopes: string[] };
      for (const appId of manifest.scopes) scoped.get(appId)?.push(manifest.metadata.name);
    }
    for (const list of scoped.values()) list.sort();
    expect(scoped).toEqual(declared);
  });
});

test('what a service offers to the public is reached through the gateway', () => {
  const offered = sources
    .filter(({ path }) => path.startsWith('services/') && !/\.test\.ts$|\/(testing|kit)\//.test(path))
    .flatMap(({ path, text }) => [...text.matchAll(/\bapi\('(\/[\w-]+)'/g)].map(([, base]) => ({ path, base })));
  expect(offered.length).toBeGreaterThan(5);
  const lost = offered.filter(({ path, base }) => routeOf(`/api/v1${base}`)?.appId !== serviceOf(path));
  expect(lost).toEqual([]);
});

describe('packages', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

  test.each(['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'])('%s are pinned', (kind) => {
    expect(Object.entries(manifest[kind] ?? {}).filter(([, version]) => !exact.test(version))).toEqual([]);
  });

  test('the lockfile names no registry, and says what we ask for', () => {
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    expect(lock.packages['']).toMatchObject({ dependencies, devDependencies, optionalDependencies });
  });

  test('what is imported is a package of ours, and every package is used', () => {
    const names = sources
      .flatMap(({ imports }) => imports.map(({ specifier }) => specifier))
      .filter((specifier) => !/^(node:|#|\.)/.test(specifier))
      .map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    const known = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect([...new Set(names)].filter((name) => !known.includes(name))).toEqual([]);
    const used = files
      .filter((path) => /\.(m?ts|mjs|json)$/.test(path) && !/^package/.test(path))
      .map(read)
      .join('\n');
    const tools = [...Object.values(manifest.scripts ?? {}), 'typescript', '@biomejs/biome', '@swc/core'].join('\n');
    const idle = Object.keys(manifest.dependencies ?? {}).filter(
      (name) => !used.includes(name) && !tools.includes(name),
    );
    expect(idle).toEqual([]);
  });
});

test('no file knows where somebody works', () => {
  const text = files.filter(
    (path) => !/\.(csv|gz|png|ico|svg|sum|woff2?)$/.test(path) && !path.startsWith('tests/architecture/'),
  );
  const places = /(?<![\w.$}/-])\/(home|root|Users|work|workspace|mnt)\/[\w.-]+/;
  const offenders = text.flatMap((path) => {
    const found = places.exec(read(path))?.[0];
    return found === undefined ? [] : [`${path}: ${found}`];
  });
  expect(offenders).toEqual([]);
});
