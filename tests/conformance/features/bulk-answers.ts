// What daprd makes of each answer to a bulk delivery: why the kit answers SUCCESS or RETRY for every entry and nothing else.
// A daprd that behaves better one day fails here: then the kit may do so too.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type App, type Bench, startBench } from '../harness.ts';
import { cloudEvent } from '../messages.ts';
import { type Delivery, type ScriptedApp, scriptedApp, statuses, success } from '../scripted-app.ts';
import type { Broker } from '../sets/set.ts';
import { until } from '../until.ts';
import { publishAll } from './listener.ts';

const TOPIC = 'orders';

/** Registers the tests. */
export function bulkAnswers(broker: Broker): void {
  describe(`broker: ${broker.title}: answers to a bulk delivery`, () => {
    let bench: Bench;
    let probe: App;
    let app: ScriptedApp;
    let dead: ScriptedApp;
    let groups = 0;

    beforeAll(async () => {
      bench = await startBench({ broker, topics: ['orders.dead.doomed'] });
      app = scriptedApp({ 'pubsub-saga': [TOPIC] }, 'probe');
      dead = scriptedApp({ 'pubsub-saga': ['orders.dead.probe'] }, 'nobody');
      [probe] = await Promise.all([
        bench.app({ appId: 'probe', handler: app.handler }),
        bench.app({ appId: 'undertaker', handler: dead.handler }),
      ]);
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    /** Publishes four messages of one key until they come in one delivery (daprd's clock may cut between them). */
    async function oneBatch(via: App, to: ScriptedApp, answer: ScriptedApp['answer']): Promise<string[]> {
      for (;;) {
        groups += 1;
        const events = [1, 2, 3, 4].map((version) => cloudEvent(`group:${groups}`, version, 'order.placed', {}));
        const ids = events.map(({ id }) => id);
        const isWhole = ({ entries }: Delivery) =>
          entries.length === 4 && entries.every(({ event }, n) => event.id === ids[n]);
        to.answer = (delivery) => (to.deliveries.some(isWhole) ? answer(delivery) : success(delivery));
        const publications = events.map((event) => ({ event, partitionKey: 'shop' }));
        await publishAll(via.sidecar, TOPIC, publications);
        await until(async () => ids.every((id) => to.batches(TOPIC).flat().includes(id)));
        if (to.deliveries.some(isWhole)) return ids;
      }
    }

    /** Deliveries since the group's first, each as positions in the group. */
    function course(of: ScriptedApp, ids: readonly string[]): number[][] {
      return of
        .batches(TOPIC)
        .map((batch) => batch.map((id) => ids.indexOf(id) + 1).filter((position) => position > 0))
        .filter((batch) => batch.length > 0);
    }

    const first = (seen: Set<string>, id: string) => !seen.has(id) && Boolean(seen.add(id));

    test('a delivery has the shape that the adaptor reads', async () => {
      const ids = await oneBatch(probe, app, success);
      const delivery = app.deliveries.at(-1);
      expect(delivery).toMatchObject({ topic: TOPIC, pubsubname: 'pubsub-saga', type: 'com.dapr.event.sent.bulk' });
      expect(delivery?.entries.map(({ entryId }) => entryId)).toEqual(['0', '1', '2', '3']);
      expect(delivery?.entries[0]).toMatchObject({
        contentType: 'application/cloudevents+json',
        event: { ...cloudEvent(`group:${groups}`, 1, 'order.placed', {}), id: ids[0] },
        metadata: { __key: 'shop', __topic: TOPIC, partitionKey: 'shop' },
      });
    });

    test('RETRY brings back that entry alone: those after it are done already, so the order is lost', async () => {
      const seen = new Set<string>();
      const second = (position: number) => (entry: { event: { id: string } }) =>
        entry.event.id === cloudEvent(`group:${groups}`, position, '', {}).id && first(seen, entry.event.id)
          ? 'RETRY'
          : 'SUCCESS';
      const ids = await oneBatch(probe, app, (delivery) => statuses(delivery, second(2)));
      await until(async () => course(app, ids).length === 2);
      expect(course(app, ids)).toEqual([[1, 2, 3, 4], [2]]);
    });

    test('an entry without a status comes again', async () => {
      const seen = new Set<string>();
      const ids = await oneBatch(probe, app, (delivery) =>
        statuses(delivery, ({ entryId, event }) => (entryId === '3' && first(seen, event.id) ? undefined : 'SUCCESS')),
      );
      await until(async () => course(app, ids).length === 2);
      expect(course(app, ids)).toEqual([[1, 2, 3, 4], [4]]);
    });

    test('200 with an empty body brings the whole batch back', async () => {
      let answered = 0;
      const ids = await oneBatch(probe, app, (delivery) => {
        answered += 1;
        return answered === 1 ? { status: 200 } : success(delivery);
      });
      await until(async () => course(app, ids).length === 2);
      expect(course(app, ids)).toEqual([
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ]);
    });

    test.each([500, 401, 413, 503])('%s brings the whole batch back', async (status) => {
      let answered = 0;
      const ids = await oneBatch(probe, app, (delivery) => {
        answered += 1;
        return answered === 1 ? { status } : success(delivery);
      });
      await until(async () => course(app, ids).length === 2);
      expect(course(app, ids)[1]).toEqual([1, 2, 3, 4]);
    });

    test('404 loses the whole batch: it neither comes again nor lies in the dead letters', async () => {
      const lost = await oneBatch(probe, app, () => ({ status: 404 }));
      await oneBatch(probe, app, success); // whatever would come again had come before this
      expect(course(app, lost)).toEqual([[1, 2, 3, 4]]);
      expect(dead.batches('orders.dead.probe').flat()).not.toEqual(expect.arrayContaining([lost[0]]));
    });

    test('DROP in a first delivery is a dead letter without a reason; in a repeated batch it ends daprd', async () => {
      const [dropped] = await oneBatch(probe, app, (delivery) =>
        statuses(delivery, ({ entryId }) => (entryId === '0' ? 'DROP' : 'SUCCESS')),
      );
      await until(async () =>
        dead
          .batches('orders.dead.probe')
          .flat()
          .includes(dropped as string),
      );

      const doomed = scriptedApp({ 'pubsub-saga': [TOPIC] }, 'doomed');
      const victim = await bench.app({ appId: 'doomed', handler: doomed.handler });
      await until(async () => doomed.deliveries.length > 0); // it hears the topic from the start
      await oneBatch(victim, doomed, (delivery) =>
        delivery.entries.length === 4
          ? statuses(delivery, ({ entryId }) => (entryId === '0' ? 'SUCCESS' : 'RETRY'))
          : statuses(delivery, () => 'DROP'),
      );
      await until(async () => !victim.daprd.alive);
      expect(victim.daprd.output).toContain('index out of range');
    });
  });
}
