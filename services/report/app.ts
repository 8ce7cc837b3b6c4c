// The service from its dependencies, not listening: what it hears, keeps and answers.
import type Koa from 'koa';
import { deadLetters } from '#kit/dapr/dead-letters';
import type { Sidecar } from '#kit/dapr/sidecar';
import { subscriber } from '#kit/dapr/subscriber';
import { catalogue, type TopicName } from '#kit/events/catalogue';
import { type ContractCheck, Contracts } from '#kit/events/contracts';
import { type AppParts, createApp } from '#kit/http/app';
import { Metrics } from '#kit/http/metrics';
import { untilDone } from '#kit/until-done';
import { Database } from '#kit/views/database';
import { AuditAnchor } from './audit-anchor.ts';
import { auditRoutes } from './audit-routes.ts';
import { DeadLetterBook } from './dead-letter-book.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { EventLog } from './event-log.ts';
import { figures } from './figures.ts';
import { hearing } from './hearing.ts';
import { historyOf } from './history.ts';
import { LiveViews } from './live-views.ts';
import { paymentRoutes } from './payments-routes.ts';
import { rebuildRoutes } from './rebuild-routes.ts';
import { Rebuilds } from './rebuilds.ts';
import { Recorder } from './recorder.ts';
import { replayer } from './replay-letter.ts';
import { internalRoutes, routes } from './routes.ts';
import { sagaRoutes } from './saga-routes.ts';
import { stockRoutes } from './stock-routes.ts';
import { views as definitions } from './views.ts';

export interface ReportOptions extends Omit<AppParts, 'routes' | 'middleware' | 'ready'> {
  readonly sidecar: Sidecar;
  /** Name of the database binding. */
  readonly binding: string;
  readonly contracts?: ContractCheck;
}

export interface ReportService {
  readonly app: Koa;
  readonly views: LiveViews;
  readonly rebuilds: Rebuilds;
  readonly anchor: AuditAnchor;
  /** Creates what is missing in the database, as soon as sidecar and database are there; messages come again until then. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the service. Nothing is called before `begin`. */
export function reportService(options: ReportOptions): ReportService {
  const { name, sidecar, log } = options;
  const contracts = options.contracts ?? new Contracts();
  const metrics = options.metrics ?? new Metrics();
  const database = new Database(sidecar, options.binding);
  const eventLog = new EventLog(database);
  const lag = metrics.histogram('report_view_lag_seconds', 'From the commit of an event until every view has it');
  const views = new LiveViews(database, definitions, log, (seconds) => lag({}, seconds));
  const book = new DeadLetterBook(database, () => views.wake());
  const anchor = new AuditAnchor({ sidecar, store: `statestore-${name}`, database, log });
  const rebuilds = new Rebuilds(database, definitions, log);
  const count = figures(metrics, { book, views, eventLog, log });
  const recorder = new Recorder({
    eventLog,
    readHistory: historyOf(sidecar, contracts),
    log,
    recorded(events) {
      count.recorded(events);
      views.follow(events);
    },
  });
  const topics = (Object.keys(catalogue) as TopicName[]).map((topic) => ({ topic, ...catalogue[topic] }));
  const subscriptions = hearing('pubsub-views', (messages) => recorder.handle(messages));
  const buried = topics.flatMap(({ topic, heardBy }) => heardBy.map((appId) => ({ topic, appId })));
  let created = false;
  let stopped = false;

  const app = createApp({
    ...options,
    metrics,
    routes: [
      routes({ database }),
      deadLetterRoutes(book, replayer(book, sidecar)),
      sagaRoutes(database),
      paymentRoutes(database),
      stockRoutes(database),
      auditRoutes(database, anchor),
      rebuildRoutes(rebuilds),
      internalRoutes({ eventLog, book, views }),
    ],
    middleware: [
      deadLetters({ of: buried, keep: (letter) => book.keep(letter), log }),
      subscriber({ appId: name, subscriptions, contracts, sidecar, log }),
    ],
    ready: async () => ({
      sidecar: await sidecar.ready(),
      database: created && (await eventLog.answers()),
    }),
  });

  async function create(): Promise<void> {
    await eventLog.create();
    await book.create();
    await views.create();
    await rebuilds.create();
    created = true;
    await recorder.mendParked();
    count.start();
    anchor.start();
  }

  return {
    app,
    views,
    rebuilds,
    anchor,
    begin: () => untilDone('log, views and dead letters', log, create, () => stopped),
    async stop() {
      stopped = true;
      count.stop();
      anchor.stop();
      await rebuilds.stop();
      await views.stop();
    },
  };
}
