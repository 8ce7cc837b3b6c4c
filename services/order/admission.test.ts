import { describe, expect, test } from '@jest/globals';
import { Admission } from './admission.ts';

const never = () => new Promise<void>(() => undefined);
const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
const atOnce = async () => undefined;

async function placed(admission: Admission, count: number, work: () => Promise<void>, decided = never) {
  await Promise.all(Array.from({ length: count }, () => admission.place(work, decided)));
}

describe('orders are turned away', () => {
  test('when many are open and placing one takes long', async () => {
    const admission = new Admission({ open: 3, slow: 1 });
    await placed(admission, 3, slowly);
    expect(admission.overloaded).toBe(true);
  });

  test('not when they are open because others are slow', async () => {
    const admission = new Admission({ open: 3, slow: 1_000 });
    await placed(admission, 30, atOnce);
    expect(admission.overloaded).toBe(false);
  });

  test('not any more when those before are decided, or came to nothing', async () => {
    const admission = new Admission({ open: 3, slow: 1 });
    let decide = () => {};
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    await placed(admission, 3, slowly, () => decided);
    const failing = admission.place(async () => Promise.reject(new Error('no store')), never);
    await expect(failing).rejects.toThrow('no store');
    expect(admission.overloaded).toBe(true);
    decide();
    await decided;
    await Promise.resolve();
    expect(admission.overloaded).toBe(false);
  });
});
