// Figures of the report for `/metrics`: what is recorded, how far the views are, what waits for repair.
import type { Logger } from 'pino';
import type { Message } from '#kit/events/message';
import type { Metrics } from '#kit/http/metrics';
import type { DeadLetterBook, DeadLetterCount } from './dead-letter-book.ts';
import type { EventLog } from './event-log.ts';
import type { LiveViews } from './live-views.ts';

/** Milliseconds between two looks at what only the database knows. */
const LOOK = 10_000;

export interface Figures {
  recorded(events: readonly Message[]): void;
  start(): void;
  stop(): void;
}

export function figures(
  metrics: Metrics,
  of: { book: DeadLetterBook; views: LiveViews; eventLog: EventLog; log: Logger },
): Figures {
  const count = metrics.counter('report_events_recorded_total', 'Events recorded, by topic');
  let letters: readonly DeadLetterCount[] = [];
  let parked = 0;
  let behind: ReadonlyMap<string, number> = new Map();
  metrics.gauge('report_dead_letters', 'Dead letters, by topic and app', () =>
    letters.map(({ topic, app, count: number }) => [{ topic, app }, number] as const),
  );
  metrics.gauge('report_parked_streams', 'Streams that wait for repair', () => parked);
  metrics.gauge('report_view_behind', 'Positions between the end of the log and a view', () =>
    [...behind].map(([view, positions]) => [{ view }, positions] as const),
  );
  const look = async () => {
    letters = await of.book.counts();
    parked = (await of.eventLog.parked()).length;
    behind = await of.views.behind();
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    recorded(events) {
      for (const { topic } of events) count({ topic });
    },
    start() {
      timer = setInterval(() => look().catch((error) => of.log.debug({ err: error }, 'no figures now')), LOOK).unref();
    },
    stop: () => clearInterval(timer),
  };
}
