// Events that changed their shape: what every version says reads as the newest one (docs/guides/change-an-event.md).
import { describe, expect, test } from '@jest/globals';
import { Contracts } from '../../services/kit/events/contracts.ts';
import { newest, newestVersion } from '../../services/kit/events/upcasters.ts';
import { files, read } from './sources.ts';

const contracts = new Contracts();
const published = files.flatMap((path) => {
  const [, type, version] = /^services\/[^/]+\/contracts\/(.+)\.v(\d+)\.json$/.exec(path) ?? [];
  if (type === undefined) return [];
  const { examples } = JSON.parse(read(path)) as { examples: readonly object[] };
  return [{ type, version: Number(version), examples }];
});
const changed = published.filter(({ type }) => newestVersion(type) > 1);

test('the newest contract of each type is the version that is written', () => {
  const highest = new Map<string, number>();
  for (const { type, version } of published) highest.set(type, Math.max(version, highest.get(type) ?? 0));
  expect([...highest].filter(([type, version]) => version !== newestVersion(type))).toEqual([]);
  expect(changed.map(({ type, version }) => `${type}.v${version}`)).toEqual(['order.placed.v1', 'order.placed.v2']);
});

describe.each(changed)('$type.v$version', ({ type, version, examples }) => {
  const latest = newestVersion(type);

  test('reads as the newest, with what the owner shows of that', () => {
    const shown = published.find((each) => each.type === type && each.version === latest)?.examples;
    for (const data of examples) {
      const now = newest({ type, schemaVersion: version, data });
      expect(now.schemaVersion).toBe(latest);
      contracts.check(type, latest, now.data);
      expect(shown).toContainEqual(now.data);
    }
  });
});

test('what cannot be read as its own version is poison, and what is new is left alone', () => {
  expect(() => newest({ type: 'order.placed', schemaVersion: 1, data: null })).toThrow('UPCAST_FAILED');
  const event = { type: 'order.placed', schemaVersion: 2, data: {} };
  expect(newest(event)).toBe(event);
});
