// Hears every topic from its first event into a log of its own, and puts that in the place of the live one.
import type Koa from 'koa';
import { z } from 'zod';
import type { Sidecar } from '#kit/dapr/sidecar';
import { subscriber } from '#kit/dapr/subscriber';
import type { ContractCheck } from '#kit/events/contracts';
import { Contracts } from '#kit/events/contracts';
import { internal, ok } from '#kit/http/api';
import { type AppParts, createApp } from '#kit/http/app';
import { untilDone } from '#kit/until-done';
import { Database } from '#kit/views/database';
import { EventLog } from './event-log.ts';
import { hearing } from './hearing.ts';
import { historyOf } from './history.ts';
import { Recorder } from './recorder.ts';
import { COMPARISON, EXCHANGE, HEARD } from './relisten-sql.ts';

const Count = z.int().min(0);
const Comparison = z.strictObject({ heard: Count, live: Count, missing: Count, found: Count, changed: Count });
const Exchanged = z.strictObject({ rows: Count, hash: z.string(), liveRows: Count, liveHash: z.string() });

/** Milliseconds that the exchange may take: it writes the whole log once more. */
const PATIENCE = 290_000;

export interface RelistenParts extends Omit<AppParts, 'routes' | 'middleware' | 'ready'> {
  readonly sidecar: Sidecar;
  readonly binding: string;
  readonly contracts?: ContractCheck;
}

/** Builds the app. Nothing is called before `begin`. Its letters are those of report, which has them already. */
export function relistenService(parts: RelistenParts): { app: Koa; begin(): Promise<void>; stop(): Promise<void> } {
  const { sidecar, log } = parts;
  const contracts = parts.contracts ?? new Contracts();
  const database = new Database(sidecar, parts.binding);
  const eventLog = new EventLog(database, HEARD);
  const recorder = new Recorder({ eventLog, readHistory: historyOf(sidecar, contracts), log });
  const subscriptions = hearing('pubsub-relisten', (messages) => recorder.handle(messages));
  let created = false;
  let stopped = false;

  const compare = async () => {
    const [found] = await database.query<z.output<typeof Comparison>>(COMPARISON);
    return found as z.output<typeof Comparison>;
  };
  const routes = internal('/relisten')
    .get('', { summary: 'How the topics compare with the log', answers: { 200: Comparison } }, async () =>
      ok(await compare()),
    )
    .post('/exchange', { summary: 'Puts what was heard in its place', answers: { 200: Exchanged } }, async () => {
      await database.exec(EXCHANGE, [], { timeout: PATIENCE });
      const [done] = await database.query<z.output<typeof Exchanged>>(
        `select rows, hash, live_rows as "liveRows", live_hash as "liveHash" from view_rebuilds where view = 'events'`,
      );
      return ok(done as z.output<typeof Exchanged>);
    });
  const app = createApp({
    ...parts,
    routes: [routes],
    middleware: [subscriber({ appId: 'report', subscriptions, contracts, sidecar, log })],
    ready: async () => ({ sidecar: await sidecar.ready(), database: created }),
  });
  const create = async () => {
    await eventLog.create();
    created = true;
  };
  return {
    app,
    begin: () => untilDone('the log to hear into', log, create, () => stopped),
    async stop() {
      stopped = true;
    },
  };
}
