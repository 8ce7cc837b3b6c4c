import { createPublicKey, sign, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { KEYS, type KeyDocument, newKey, rotated, SigningKeys } from './keyring.ts';

const at = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(at.getTime() + seconds * 1_000);
const stagesOf = ({ keys }: KeyDocument) => keys.map(({ stage }) => stage);

describe('a rotation', () => {
  test('announces, signs, retires and forgets, one step each', async () => {
    let document: KeyDocument = { keys: [await newKey('current', 'kek', at)] };
    const first = document.keys[0]?.kid;
    document = rotated(document, await newKey('next', 'kek', at), at, 600_000);
    expect(stagesOf(document)).toEqual(['current', 'next']);
    expect(document.keys[0]?.kid).toBe(first);
    const second = document.keys[1]?.kid;

    document = rotated(document, await newKey('next', 'kek', at), later(60), 600_000);
    expect(stagesOf(document)).toEqual(['retired', 'current', 'next']);
    expect(document.keys[1]?.kid).toBe(second);

    document = rotated(document, await newKey('next', 'kek', at), later(120), 600_000);
    expect(stagesOf(document)).toEqual(['retired', 'retired', 'current', 'next']);
    document = rotated(document, await newKey('next', 'kek', at), later(660), 600_000);
    expect(document.keys.some(({ kid }) => kid === first)).toBe(false);
    expect(stagesOf(document).filter((stage) => stage === 'current')).toHaveLength(1);
  });
});

describe('the signing keys', () => {
  let fake: FakeSidecar;
  let now = at;
  const open = (secret = 'kek') =>
    new SigningKeys({ sidecar: fake.client, store: 's', secret: async () => secret, clock: () => now });
  beforeAll(async () => {
    fake = await startFakeSidecar();
  });
  afterAll(() => fake.close());

  test('are made once, sealed, and the published half fits', async () => {
    const { kid, key } = await open().signer();
    const { keys } = await open().jwks();
    expect(keys).toEqual([expect.objectContaining({ kid, kty: 'RSA', alg: 'RS256', use: 'sig' })]);
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const publicKey = createPublicKey({ key: keys[0] as never, format: 'jwk' });
    expect(verify('sha256', Buffer.from('x'), publicKey, sign('sha256', Buffer.from('x'), key))).toBe(true);
    expect((await open().signer()).kid).toBe(kid);
  });

  test('do not open with another secret, nor under another id', async () => {
    await expect(open('other').signer()).rejects.toThrow();
    const { keys } = fake.peek('s', KEYS) as KeyDocument;
    fake.put('s', KEYS, { keys: keys.map((key) => ({ ...key, kid: 'swapped' })) });
    await expect(open().signer()).rejects.toThrow();
    fake.put('s', KEYS, { keys });
  });

  test('rotate for every replica within half a minute, and old tokens stay good', async () => {
    const [one, two] = [open(), open()];
    const before = await two.signer();
    await one.rotate(600_000);
    expect((await one.signer()).kid).toBe(before.kid);
    await one.rotate(600_000);
    const after = await one.signer();
    expect(after.kid).not.toBe(before.kid);
    expect((await two.signer()).kid).toBe(before.kid);
    now = later(30);
    expect((await two.signer()).kid).toBe(after.kid);
    expect((await two.jwks()).keys.map(({ kid }) => kid)).toEqual(expect.arrayContaining([before.kid, after.kid]));
  });
});
