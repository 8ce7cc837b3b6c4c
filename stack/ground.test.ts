// Profiles: what runs beneath the services follows from the component set alone.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { toolsOf } from './bootstrap/tools.mjs';
import { providers, toolFolder } from './bootstrap/tools-folder.mjs';
import { StackError } from './errors.ts';
import { groundOf, standsOn, tablesOf } from './ground.ts';
import { layout, root } from './layout.ts';
import { planPorts } from './ports.ts';
import { type Resource, readResources, resourceFolders } from './render.ts';
import { deployable, services } from './services.ts';
import { placeholders } from './values.ts';

const profiles = readdirSync(join(root, 'components'));
const of = (profile: string) => readResources(resourceFolders(root, profile));
const needsOf = (appId: string, profile: string) => {
  const service = services.find((each) => each.appId === appId);
  return standsOn(service ?? deployable(appId), of(profile));
};
const component = (text: string): Resource => ({
  ...{ file: 'a.yaml', kind: 'Component', name: 'a', scopes: ['probe'], secretNames: [] },
  text,
});

describe('what a service stands on', () => {
  test('is what its components ask for', () => {
    expect(needsOf('order', 'local')).toEqual(['kfake', 'postgres']);
    expect(needsOf('order', 'cloud')).toEqual(['kafka', 'postgres', 'dynoxide']);
    expect(needsOf('payment', 'cloud')).toEqual(['kafka', 'postgres']);
    expect(needsOf('product', 'local')).toEqual(['kfake', 'postgres']);
    expect(needsOf('product', 'cloud')).toEqual(['kafka', 'postgres', 'dynoxide', 'redis-server']);
    expect(needsOf('gateway', 'local')).toEqual([]);
    expect(needsOf('auth', 'local')).toEqual(['kfake']);
    expect(needsOf('auth', 'cloud')).toEqual(['kafka', 'dynoxide']);
  });

  test('includes a database of its own without a component', () => {
    expect(standsOn(deployable('probe', { databases: ['probe'] }), [])).toEqual(['postgres']);
  });

  test('is nothing that only another service asks for', () => {
    const kafka = component('value: "127.0.0.1:$'.concat('{KAFKA_PORT}"'));
    expect(standsOn(deployable('other'), [kafka])).toEqual([]);
    expect([...groundOf([deployable('probe'), deployable('other')], [kafka])]).toEqual(['kafka']);
  });

  test('is one broker', () => {
    const both = [...of('local'), ...of('cloud')];
    expect(() => groundOf(services, both)).toThrow(StackError);
  });

  test('every placeholder that starts something is filled in', () => {
    const postgres = { host: '127.0.0.1', port: 1, sslmode: 'disable' };
    const values = placeholders(layout('local', '/nowhere'), planPorts(services, 8000), 8000, postgres);
    expect(Object.keys(values)).toEqual(expect.arrayContaining(Object.keys(providers)));
  });
});

describe('the tables of DynamoDB', () => {
  test('are one for each service that keeps documents there', () => {
    const tables = tablesOf(services, of('cloud'));
    expect(tables.sort()).toEqual(['auth', 'inventory', 'notification', 'order', 'product', 'report', 'shop']);
    expect(tablesOf(services, of('local'))).toEqual([]);
  });

  test('are made for the services that run', () => {
    const order = services.filter(({ appId }) => appId === 'order');
    expect(tablesOf(order, of('cloud'))).toEqual(['order']);
  });
});

describe('tools', () => {
  test('are asked for by the profile that needs them, and by no other', () => {
    expect(toolsOf(root, 'local')).toEqual([]);
    expect(toolsOf(root, 'cloud').sort()).toEqual(['dynoxide', 'kafka', 'redis-server']);
    expect(toolsOf(root, 'no such profile')).toEqual([]);
  });

  test('lie in a folder that their pins name', () => {
    expect(toolFolder('dynoxide')).toMatch(/dynoxide-[0-9a-f]{16}$/);
    expect(toolFolder('kafka')).toMatch(/kafka-[0-9a-f]{16}$/);
  });
});

describe.each(profiles)('the component set %s', (profile) => {
  const named = (list: readonly Resource[]) => list.map(({ name, scopes }) => ({ name, scopes: [...scopes].sort() }));

  test('has the names and the scopes of every other', () => {
    expect(named(of(profile))).toEqual(named(of('local')));
  });
});
