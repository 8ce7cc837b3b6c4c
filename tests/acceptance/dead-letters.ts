// Messages that nobody could handle: staff see them, give them back or give them up, and it is written down.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { everyItem, placeOrder } from '../client/retail.ts';
import { run } from '../dead-letters/main.ts';
import { expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newSku, unique, webOrder } from './goods.ts';
import type { OpenWorld } from './open-world.ts';
import { WEB } from './world.ts';

interface Letter {
  readonly id: string;
  readonly stream: string | null;
  readonly version: number | null;
  readonly attempts: number;
  readonly status: string;
  readonly reason: string;
  readonly acts: readonly {
    readonly act: string;
    readonly outcome: string;
    readonly actor: string;
    readonly reason: string;
  }[];
}

interface AuditRow {
  readonly type: string;
  readonly version: number;
  readonly actor: string;
  readonly changes: readonly { readonly field: string; readonly before?: unknown; readonly after?: unknown }[];
}

const PATH = '/api/v1/dead-letters';

export function deadLetterSuite(world: OpenWorld): void {
  /** Puts a letter where inventory buries what it gives up of orders. */
  async function bury(event: { readonly data: object }): Promise<void> {
    const letter = {
      reason: 'DECISION_FAILED',
      detail: 'once',
      attempts: 5,
      topic: 'orders',
      appId: 'inventory',
      event,
    };
    const path = '/v1.0/publish/pubsub-saga/orders.dead.inventory?metadata.rawPayload=true';
    const answer = await world.mesh.sidecar('order', path, {
      method: 'POST',
      body: JSON.stringify(letter),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(204);
  }
  const open = () => everyItem<Letter>(world.admin, PATH);
  const letterOf = (stream: string, version: number) =>
    eventually(async () => (await open()).find((each) => each.stream === stream && each.version === version), {
      what: `letter ${stream} v${version}`,
      within: 20_000,
    });
  const act = (id: string, what: string, gateway = world.admin) =>
    gateway.send<Letter>('POST', `${PATH}/${id}/${what}`, { body: { reason: 'the test wants it' } });
  /** What order published of an order. */
  async function eventsOf(orderId: string): Promise<{ readonly data: { readonly payload: object } }[]> {
    const answer = await world.mesh.sidecar('order', `/internal/streams/order:${orderId}`, {
      headers: { 'dapr-app-id': 'order' },
    });
    return ((await answer.json()) as { events: { data: { payload: object } }[] }).events;
  }

  it('gives a letter back to who buried it, in the order of versions, and twice changes nothing', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    await expectStock(world.admin, WEB, sku, 4);
    const stream = `order:${order.id}`;
    for (const event of (await eventsOf(order.id)).toReversed()) await bury(event);
    const [first, second] = [await letterOf(stream, 1), await letterOf(stream, 2)];
    expectProblem(await act(second.id, 'replay'), 409, 'EARLIER_LETTER_OPEN');
    expect(expectStatus(await act(first.id, 'replay'), 200).body).toMatchObject({ status: 'replayed', attempts: 6 });
    const again = expectStatus(await act(first.id, 'replay'), 200).body;
    expect(again).toMatchObject({ status: 'replayed', attempts: 6 });
    expect(again.acts).toEqual([expect.objectContaining({ outcome: 'replayed', reason: 'the test wants it' })]);
    expectProblem(await act(first.id, 'discard'), 409, 'LETTER_SETTLED');
    expectStatus(await act(second.id, 'replay'), 200);
    await expectStock(world.admin, WEB, sku, 4);
    expect((await open()).filter((each) => each.stream === stream)).toEqual([]);
  });

  it('shows a letter that is refused again with its attempts, until it is given up', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    const [placed] = await eventsOf(order.id);
    const orderId = '11111111-1111-4111-8111-111111111111';
    const payload = { ...placed?.data.payload, orderId, lines: 'none' };
    await bury({ ...placed, id: orderId, data: { ...placed?.data, stream: `order:${orderId}`, payload } } as never);
    const { id } = await letterOf(`order:${orderId}`, 1);
    const refused = expectStatus(await act(id, 'replay'), 200).body;
    expect(refused).toMatchObject({ status: 'open', attempts: 6, reason: 'CONTRACT_BROKEN' });
    expect(refused.acts).toEqual([expect.objectContaining({ act: 'replay', outcome: 'refused' })]);
    expect((await open()).filter((each) => each.stream === `order:${orderId}`)).toHaveLength(1);
    const gone = expectStatus(await act(id, 'discard'), 200).body;
    expect(gone).toMatchObject({ status: 'discarded', attempts: 6 });
    expect(gone.acts.map(({ outcome }) => outcome)).toEqual(['refused', 'discarded']);
    expectProblem(await act(id, 'replay'), 409, 'LETTER_SETTLED');
    const audited = await eventually(
      async () => {
        const rows = await everyItem<AuditRow>(world.admin, '/api/v1/audit', { subject: id });
        return rows.length === 2 ? rows : undefined;
      },
      { what: 'both acts in the audit', within: 10_000 },
    );
    expect(audited.map(({ type, version }) => [type, version])).toEqual([
      ['dead-letter.discarded', 2],
      ['dead-letter.refused', 1],
    ]);
    expect(audited[0]?.changes).toContainEqual({ field: 'status', before: 'open', after: 'discarded' });
    expect(audited[0]?.actor).toBe(gone.acts[1]?.actor);
  });

  it('is told and done on the terminal', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    for (const event of await eventsOf(order.id)) await bury(event);
    const stream = `order:${order.id}`;
    const { id } = await letterOf(stream, 1);
    await letterOf(stream, 2);
    const data = mkdtempSync(join(tmpdir(), 'letters-'));
    try {
      writeFileSync(join(data, 'secrets.json'), JSON.stringify(world.secrets), { mode: 0o600 });
      const said: string[] = [];
      const tool = (words: string[], reason?: string) => {
        said.length = 0;
        const mesh = { url: world.admin.baseUrl, profile: 'local', data };
        return run(words, { reason, app: 'inventory' }, mesh, (line) => void said.push(line));
      };
      expect(await tool(['list'])).toBe(0);
      expect(said.find((line) => line.startsWith(id))).toContain(
        `orders at inventory: ${stream} v1, DECISION_FAILED (once)`,
      );
      await expect(tool(['replay', 'all'])).rejects.toThrow('Say why');
      expect(await tool(['replay', 'all'], 'mended')).toBe(0);
      expect(said.at(-1)).toBe('2 replayed, 0 left');
      expect(await tool(['show', id])).toBe(0);
      expect(said[1]).toMatch(/replay: replayed, by \S+: mended$/);
      expect(await tool(['show', '00000000-0000-4000-8000-000000000000'])).toBe(1);
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  it('is for staff of every shop alone', async () => {
    const none = '00000000-0000-4000-8000-000000000000';
    for (const gateway of [world.manager, world.cashier, world.customer]) {
      expectProblem(await gateway.send('GET', PATH), 403);
      expectProblem(await act(none, 'replay', gateway), 403);
    }
    expectProblem(await world.anybody.send('GET', PATH), 401);
    for (const id of [none, 'none']) for (const what of ['replay', 'discard']) expectProblem(await act(id, what), 404);
    expectProblem(await world.admin.send('POST', `${PATH}/${none}/discard`, { body: {} }), 400);
  });
}
