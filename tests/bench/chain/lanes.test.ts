import { describe, expect, test } from '@jest/globals';
import { Lanes } from './lanes.ts';

/** Lanes over reads that are recorded; each answers its own number as every ETag. */
function recorded() {
  const reads: (readonly string[])[] = [];
  const lanes = new Lanes(async (keys) => {
    const read = reads.push(keys);
    return keys.map(() => String(read));
  });
  const command = () =>
    lanes.run(async (lane) => {
      await lanes.load(lane);
      lane.write();
    });
  return { lanes, reads, command };
}

describe('lanes', () => {
  test('are read eight at a time: one read for eight commands that come one after another', async () => {
    const { reads, command } = recorded();
    for (let n = 0; n < 16; n += 1) await command();
    expect(reads.map((keys) => keys.length)).toEqual([8, 8]);
  });

  test('are waited for when all of them are taken', async () => {
    const { lanes } = recorded();
    const taken: string[] = [];
    const leave = Promise.withResolvers<void>();
    const commands = Array.from({ length: 9 }, () =>
      lanes.run(async ({ key }) => {
        taken.push(key);
        await leave.promise;
      }),
    );
    expect(new Set(taken).size).toBe(8);
    leave.resolve();
    await Promise.all(commands);
    expect(taken).toHaveLength(9);
    expect(taken[8]).toBe(taken[0]);
  });

  test('are guarded by the ETag that was read last', async () => {
    const { lanes } = recorded();
    const guards: (string | undefined)[] = [];
    for (let n = 0; n < 9; n += 1) {
      await lanes.run(async (lane) => {
        await lanes.load(lane);
        guards.push(lane.write());
      });
    }
    expect(guards).toEqual([...Array(8).fill('1'), '2']);
  });

  test('that were written while a read was under way are read again', async () => {
    const reads: { readonly keys: readonly string[]; end(): void }[] = [];
    const lanes = new Lanes((keys) => {
      const read = Promise.withResolvers<readonly string[]>();
      reads.push({ keys, end: () => read.resolve(keys.map(() => 'old')) });
      return read.promise;
    });
    const [first, second] = ['lane:0', 'lane:1'].map((key) =>
      lanes.run(async (lane) => {
        expect(lane.key).toBe(key);
        await lanes.load(lane);
        lane.write();
      }),
    );
    reads[1]?.end();
    await second;
    reads[0]?.end();
    await first;
    const again = Array.from({ length: 8 }, () =>
      lanes.run(async (lane) => {
        const known = !lane.stale;
        await lanes.load(lane);
        expect([lane.key, known]).not.toEqual(['lane:1', true]);
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    for (const { end } of reads.slice(2)) end();
    await Promise.all(again);
    expect(reads.slice(2).flatMap(({ keys }) => keys)).toContain('lane:1');
  });
});
