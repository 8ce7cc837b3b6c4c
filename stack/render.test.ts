import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { StackError } from './errors.ts';
import { layout, root } from './layout.ts';
import { planPorts } from './ports.ts';
import { readResources, renderConfiguration, renderSidecar, resourceFolders } from './render.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { services } from './services.ts';
import { placeholders, type Values } from './values.ts';

let folder: string;
let values: Values;
let secrets: Secrets;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'render-')), 'a "quoted" %20 folder');
  mkdirSync(join(folder, 'run'), { recursive: true });
  values = placeholders(layout('local', folder), planPorts(services, 8000), 8000, {
    host: '127.0.0.1',
    port: 8110,
    sslmode: 'disable',
  });
  secrets = loadSecrets(folder, services, {});
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const resources = readResources(resourceFolders(root, 'local'));
const render = (appId: string) => {
  const service = services.find((each) => each.appId === appId);
  if (!service) throw new Error(`no ${appId}`);
  const at = renderSidecar(service, resources, values, secrets);
  return readdirSync(at).map((file) => parse(readFileSync(join(at, file), 'utf8')) as Manifest);
};
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: { metadata: { name: string; value?: string }[]; baseUrl?: string };
}

describe('rendering', () => {
  test.each(services)('$appId gets what is scoped to it and nothing else', ({
    appId,
    components,
    resiliency,
    httpEndpoints,
  }) => {
    expect(
      render(appId)
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual([...components, ...resiliency, ...httpEndpoints].sort());
  });

  test('fills in ports and paths, whatever the folder is called', () => {
    const setting = (resource: string, name: string) =>
      render('order')
        .find(({ metadata }) => metadata.name === resource)
        ?.spec.metadata.find((each) => each.name === name)?.value;
    expect(setting('pubsub-saga', 'brokers')).toBe('127.0.0.1:8100');
    expect(setting('secretstore', 'secretsFile')).toBe(join(folder, 'run', 'order', 'secrets.json'));
    const file = new URL(String(setting('statestore-order', 'connectionString')));
    expect(decodeURIComponent(file.pathname)).toBe(join(folder, 'order.db'));
    expect(render('payment-provider').find(({ kind }) => kind === 'HTTPEndpoint')?.spec.baseUrl).toBe(
      'http://127.0.0.1:8130',
    );
  });

  test('no rendered resource holds a secret', () => {
    for (const { appId } of services) {
      const text = JSON.stringify(render(appId));
      for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    }
  });

  test("a sidecar's secrets file holds its own only", () => {
    render('order');
    render('auth');
    const read = (appId: string) => {
      const file = join(folder, 'run', appId, 'secrets.json');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      return Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
    };
    expect(read('order')).toEqual(['postgres-views-order']);
    expect(read('auth')).toEqual(expect.arrayContaining(['demo-password', 'till-shop-343']));
    expect(read('auth').filter((name) => /postgres|token|provider/.test(name))).toEqual([]);
  });

  test('the name resolution file is for the owner alone', () => {
    renderConfiguration(join(root, 'dapr', 'configuration.yaml'), values);
    expect(statSync(join(folder, 'run', 'names.db')).mode & 0o777).toBe(0o600);
  });

  test.each([
    [
      'two documents',
      'kind: Resiliency\nmetadata: {name: a}\nscopes: [x]\n---\nkind: Resiliency\nmetadata: {name: b}\nscopes: [x]\n',
    ],
    ['no scopes', 'kind: Component\nmetadata: {name: a}\n'],
  ])('refuses a file with %s', (_, text) => {
    writeFileSync(join(folder, 'bad.yaml'), text);
    expect(() => readResources([folder])).toThrow(StackError);
  });

  test('refuses a placeholder that nobody provides', () => {
    const unknown = '$'.concat('{NONSENSE}');
    writeFileSync(
      join(folder, 'bad.yaml'),
      `kind: Component\nmetadata: {name: a}\nscopes: [order]\nspec: "${unknown}"\n`,
    );
    const order = services.find(({ appId }) => appId === 'order') as (typeof services)[number];
    expect(() => renderSidecar(order, readResources([folder]), values, secrets)).toThrow(unknown);
  });
});
