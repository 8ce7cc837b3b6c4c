// Streams with an outbox over a sidecar in memory, for tests of the write path.
import { Outbox } from '../events/outbox.ts';
import { Streams } from '../events/streams.ts';
import { silent } from '../log.ts';
import { type FakeSidecar, startFakeSidecar } from './fake-sidecar.ts';

export interface FakeStreams {
  readonly fake: FakeSidecar;
  /** In the store `s`, of the service `test`. */
  readonly streams: Streams;
  /** Ends the outbox and the sidecar; whatever intercepted its calls is gone first. */
  stop(): Promise<void>;
}

/** Starts all of it; commands can be executed at once. */
export async function startFakeStreams(): Promise<FakeStreams> {
  const fake = await startFakeSidecar();
  const streams = new Streams({ sidecar: fake.client, store: 's', source: 'test' });
  const outbox = new Outbox({ sidecar: fake.client, store: 's', publisher: streams.publisher, log: silent });
  streams.useOutbox(outbox);
  await outbox.start();
  return {
    fake,
    streams,
    async stop() {
      fake.intercept = undefined;
      await outbox.stop();
      await fake.close();
    },
  };
}
