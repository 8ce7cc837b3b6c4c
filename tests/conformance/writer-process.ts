// A process that writes with the kit, as a service does; run by `writer.ts`, told what to do by messages from its parent.
import { Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import { type EventOf, type StreamKind, streamOf } from '#kit/events/aggregate';
import { Outbox } from '#kit/events/outbox';
import { Streams } from '#kit/events/streams';
import { silent } from '#kit/log';
import type { Order, Outcome } from './writer.ts';

interface Counter {
  readonly total: number;
}
const counters: StreamKind<Counter, EventOf<'probe.counted', { by: string }>> = {
  name: 'counter',
  initial: { total: 0 },
  evolve: (state) => ({ total: state.total + 1 }),
  retention: 'inline',
  topic: 'orders',
};

const sidecar = new Sidecar({ port: Number(process.env.DAPR_HTTP_PORT) });
const streams = new Streams({ sidecar, store: 'statestore', source: 'probe' });
const outbox = new Outbox({
  sidecar,
  store: 'statestore',
  publisher: streams.publisher,
  log: silent,
  beat: Number(process.env.BEAT),
  deadAfter: Number(process.env.DEAD_AFTER),
});
streams.useOutbox(outbox);
await outbox.start();

async function count({ id, counters: names }: Order): Promise<Outcome> {
  const touch = names.map((name) => streamOf(counters, name));
  const origin = { actor: 'test', correlationId: 'c', causationId: `command-${id}`, traceparent: '' };
  try {
    await streams.execute({
      touch,
      origin,
      decide(desk) {
        for (const ref of touch) {
          if (desk.wrote(ref) === undefined) desk.append(ref, { type: 'probe.counted', data: { by: id } });
        }
      },
    });
    return { id, done: true };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { id, done: false, fault: error.message, retryAfter: error.retryAfter };
  }
}

process.on('message', async (order: Order) => process.send?.(await count(order)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
