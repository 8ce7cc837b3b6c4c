import { describe, expect, test } from '@jest/globals';
import { Fault } from '#kit/errors';
import { Gate, hashPassword, isNobodysPassword, isPassword } from './password.ts';

describe('a password', () => {
  test('is known by its PHC text and by nothing else', async () => {
    const hash = await hashPassword('pässword');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await isPassword('pässword', hash)).toBe(true);
    expect(await isPassword('pa\u0308ssword', hash)).toBe(true);
    expect(await isPassword('password', hash)).toBe(false);
    expect(await isNobodysPassword('password')).toBe(false);
    expect(await hashPassword('pässword')).not.toBe(hash);
  });

  test('is not checked against a hash of another kind', async () => {
    await expect(isPassword('x', '$argon2i$v=19$m=1,t=1,p=1$c2FsdA$dGFn')).rejects.toThrow('PHC');
  });
});

describe('the gate', () => {
  test('runs so many at once, queues so many, and faults beyond', async () => {
    const gate = new Gate(2, 3);
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const results = await Promise.allSettled(Array.from({ length: 7 }, () => gate.run(task)));
    expect(results.map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), 'rejected', 'rejected']);
    expect((results[6] as PromiseRejectedResult).reason).toBeInstanceOf(Fault);
    expect(most).toBe(2);
    await Promise.all([gate.run(task), gate.run(task)]);
    expect([most, running]).toEqual([2, 0]);
  });

  test('gives the seat back after a failure', async () => {
    const gate = new Gate(1, 1);
    await expect(gate.run(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.run(async () => 1)).toBe(1);
  });
});
