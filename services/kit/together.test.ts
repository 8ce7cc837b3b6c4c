import { describe, expect, test } from '@jest/globals';
import { Together } from './together.ts';

/** Goes are held until the test lets them end. */
function heldGoes(options?: ConstructorParameters<typeof Together>[1], weigh?: (piece: number) => number) {
  const goes: { readonly pieces: readonly number[]; end(error?: Error): void }[] = [];
  const together = new Together<number, number>(
    (pieces) => {
      const held = Promise.withResolvers<readonly Promise<number>[]>();
      const end = (error?: Error) =>
        error ? held.reject(error) : held.resolve(pieces.map((piece) => Promise.resolve(piece * 10)));
      goes.push({ pieces, end });
      return held.promise;
    },
    options,
    weigh,
  );
  const until = async (count: number) => {
    while (goes.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
    return goes[count - 1] as (typeof goes)[number];
  };
  return { goes, together, until };
}

describe('pieces of work', () => {
  test('that come alone go at once', async () => {
    const { together, until } = heldGoes({ linger: 60_000 });
    const one = together.add(1);
    (await until(1)).end();
    expect(await one).toBe(10);
  });

  test('that come while others are under way go together, in the order in which they came', async () => {
    const { goes, together, until } = heldGoes({ atOnce: 1 });
    const first = together.add(1);
    const running = await until(1);
    const rest = [2, 3, 4].map((piece) => together.add(piece));
    running.end();
    (await until(2)).end();
    expect(await Promise.all([first, ...rest])).toEqual([10, 20, 30, 40]);
    expect(goes.map(({ pieces }) => pieces)).toEqual([[1], [2, 3, 4]]);
  });

  test('are never heavier together than allowed, and one that is too heavy goes alone', async () => {
    const { goes, together, until } = heldGoes({ atOnce: 1, mostWeight: 5 }, (piece) => piece);
    const first = together.add(1);
    const running = await until(1);
    const rest = [2, 3, 4, 9, 1, 1].map((piece) => together.add(piece));
    running.end();
    for (const count of [2, 3, 4, 5]) (await until(count)).end();
    await Promise.all([first, ...rest]);
    expect(goes.map(({ pieces }) => pieces)).toEqual([[1], [2, 3], [4], [9], [1, 1]]);
  });

  test('are never more in a go than allowed', async () => {
    const { goes, together, until } = heldGoes({ atOnce: 1, most: 2, linger: 1 });
    const all = [1, 2, 3, 4, 5].map((piece) => together.add(piece));
    for (const count of [1, 2, 3]) (await until(count)).end();
    await Promise.all(all);
    expect(goes.map(({ pieces }) => pieces)).toEqual([[1, 2], [3, 4], [5]]);
  });

  test('all fail with a go that throws, and those of the next do not', async () => {
    const { together, until } = heldGoes({ atOnce: 1 });
    const first = together.add(1);
    const running = await until(1);
    const second = together.add(2);
    running.end(new Error('no store'));
    await expect(first).rejects.toThrow('no store');
    (await until(2)).end();
    expect(await second).toBe(20);
  });
});
