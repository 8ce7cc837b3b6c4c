// An event-sourced service on its host: streams, subscriptions and app joined, started in order, stopped in order.
import { setTimeout as pause } from 'node:timers/promises';
import type Koa from 'koa';
import { Conflict, Fault } from './errors.ts';
import { type EventSourcedOptions, eventSourced } from './events/event-sourced.ts';
import type { Streams } from './events/streams.ts';
import type { AppParts } from './http/app.ts';
import type { Host, Started } from './http/service.ts';

/** Milliseconds between two looks at a sidecar or a database that is not there yet. */
const RETRY_EVERY = 200;

/** What an event-sourced service has besides its routes. */
export type Sources = Pick<EventSourcedOptions, 'reactions' | 'projections'>;

/**
 * Joins a service's streams to its app, for `start` of `runService`. `build` makes the app; its `parts` lack only the
 * routes. `/readyz` is good once the sidecar is there, the views have their tables and the outbox has its slot; until
 * then commands get a 503 and messages come again.
 */
export function eventSourcedService(
  host: Host,
  sources: Sources,
  build: (parts: Omit<AppParts, 'routes'>, streams: Streams) => Koa,
): Started {
  const { name, sidecar, log } = host;
  const source = eventSourced({ appId: name, sidecar, log, ...sources });
  let started = false;
  host.onStop('streams', () => source.stop());
  const ready = async () => ({ sidecar: await sidecar.ready(), streams: started });
  return {
    app: build({ ...host, ready, middleware: [source.middleware] }, source.streams),
    async begin() {
      while (!started && !host.draining()) {
        try {
          if (await sidecar.ready()) {
            await source.start();
            started = true;
            return;
          }
        } catch (error) {
          if (!(error instanceof Fault || error instanceof Conflict)) throw error;
          log.warn({ err: error }, 'cannot start yet: store or database out of reach');
        }
        await pause(RETRY_EVERY);
      }
    },
  };
}
