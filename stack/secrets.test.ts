import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StackError } from './errors.ts';
import { demoShops, loadSecrets, secretsFor } from './secrets.ts';
import { deployable, services } from './services.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const file = () => join(folder, 'secrets.json');

describe('secrets', () => {
  test('are made once, for the owner alone', () => {
    const first = loadSecrets(folder, services, {});
    expect(loadSecrets(folder, services, {})).toEqual(first);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(new Set(Object.values(first)).size).toBe(Object.keys(first).length);
    for (const secret of Object.values(first)) expect(secret).toMatch(/^[\w-]{32}$/);
  });

  test('hold a till for each demo shop and tokens for each service', () => {
    const names = Object.keys(loadSecrets(folder, services, {}));
    for (const shop of demoShops) expect(names).toContain(`till-${shop}`);
    for (const { appId } of services)
      expect(names).toEqual(expect.arrayContaining([`dapr-api-token-${appId}`, `app-api-token-${appId}`]));
  });

  test('DEMO_PASSWORD wins, and stays', () => {
    loadSecrets(folder, services, {});
    expect(loadSecrets(folder, services, { DEMO_PASSWORD: 'chosen' })['demo-password']).toBe('chosen');
    expect(loadSecrets(folder, services, {})['demo-password']).toBe('chosen');
  });

  test('of a new service are added, the others kept', () => {
    const before = loadSecrets(folder, [], {});
    const after = loadSecrets(folder, [deployable('new', { databases: ['views_new'] })], {});
    expect(after).toMatchObject(before);
    expect(Object.keys(after).filter((name) => !(name in before))).toEqual([
      'dapr-api-token-new',
      'app-api-token-new',
      'postgres-views-new',
    ]);
  });

  test.each(['{"a":', '[1]', '{"a":{"b":"c"}}'])('a broken file (%s) is not overwritten', (text) => {
    writeFileSync(file(), text);
    expect(() => loadSecrets(folder, services, {})).toThrow(StackError);
    expect(readFileSync(file(), 'utf8')).toBe(text);
  });

  test('are cut to what a sidecar asks for', () => {
    const secrets = { 'till-a': '1', 'till-b': '2', 'demo-password': '3', other: '4' };
    expect(secretsFor(secrets, ['till-*', 'demo-password'])).toEqual({
      'till-a': '1',
      'till-b': '2',
      'demo-password': '3',
    });
    expect(secretsFor(secrets, [])).toEqual({});
  });
});
