// One reading of everything that the checkers look at. The stores are read one after the other while the system may be
// at work, so what spans two of them is only final once it stays.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Mesh } from '../../stack/mesh.ts';
import { type BookSummary, providerControl } from '../simulators/card-provider/control-client.ts';
import { VIEW_ROWS, type ViewName, type ViewRows } from './report-views.ts';
import { queryRows, readStore, type StoredRow, streamsIn } from './stores.ts';
import { eventsOf, pagesIn } from './streams.ts';
import type { RecordedEvent, SalesContribution, StockRow, VersionRow } from './views.ts';

/** One stream with all its events, sealed pages included. */
export interface Stream {
  readonly document: StreamDocument;
  readonly events: readonly StoredEvent[];
}

export interface ServiceEvidence {
  readonly rows: readonly StoredRow[];
  readonly pages: ReadonlyMap<string, readonly StoredEvent[]>;
  /** By key. */
  readonly streams: ReadonlyMap<string, Stream>;
}

export interface Evidence {
  /** By app-id. */
  readonly services: ReadonlyMap<string, ServiceEvidence>;
  readonly book: BookSummary;
  readonly stockRows: readonly StockRow[];
  readonly orderRows: readonly VersionRow[];
  readonly paymentRows: readonly VersionRow[];
  readonly productRows: readonly VersionRow[];
  readonly recorded: readonly RecordedEvent[];
  readonly sales: readonly SalesContribution[];
  /** The report's further views. */
  readonly reportViews: ReadonlyMap<ViewName, ViewRows>;
  readonly parked: readonly { readonly stream: string; readonly reason: string }[];
  readonly deadLetters: readonly DeadLetter[];
}

/** A message that a service could not handle, as the report keeps it. */
export interface DeadLetter {
  readonly topic: string;
  readonly app_id: string;
  readonly reason: string;
  readonly stream: string | null;
  readonly version: number | null;
}

/** Services whose documents are streams. */
const OWNERS = ['order', 'inventory', 'payment', 'product', 'shop', 'notification', 'auth'];

/** Reads it all. */
export async function gatherEvidence(mesh: Mesh): Promise<Evidence> {
  const services = new Map<string, ServiceEvidence>();
  for (const appId of OWNERS) services.set(appId, serviceEvidence(await readStore(mesh, appId)));
  const [book, stockRows, orderRows, paymentRows, productRows, recorded, sales, parked, deadLetters] =
    await Promise.all([
      providerControl(`http://127.0.0.1:${mesh.ports.cardProvider}`).book(),
      queryRows<StockRow>(mesh, 'views_inventory', 'select shop_id, sku, on_hand, reserved, sold from stock'),
      queryRows<VersionRow>(mesh, 'views_order', 'select id, version, status from orders'),
      queryRows<VersionRow>(mesh, 'views_payment', 'select id, version from payments'),
      queryRows<VersionRow>(mesh, 'views_product', 'select id, version::int as version from products'),
      // Acts on dead letters have no stream but the log.
      queryRows<RecordedEvent>(
        mesh,
        'report',
        "select id, stream, version, type from events where topic <> 'dead-letters'",
      ),
      queryRows<SalesContribution>(
        mesh,
        'report',
        'select order_id, counted, gross::float, discounts::float, net::float from sales_contributions',
      ),
      queryRows<{ stream: string; reason: string }>(mesh, 'report', 'select stream, reason from parked_streams'),
      queryRows<DeadLetter>(
        mesh,
        'report',
        "select topic, app_id, reason, stream, version from dead_letters where status = 'open'",
      ),
    ]);
  const reportViews = new Map<ViewName, ViewRows>();
  for (const [name, sql] of Object.entries(VIEW_ROWS) as [ViewName, string][]) {
    const rows = await queryRows<{ key: string; value: string }>(mesh, 'report', sql);
    reportViews.set(name, new Map(rows.map(({ key, value }) => [key, value])));
  }
  const lists = { stockRows, orderRows, paymentRows, productRows };
  return { services, book, ...lists, recorded, sales, reportViews, parked, deadLetters };
}

function serviceEvidence(rows: readonly StoredRow[]): ServiceEvidence {
  const pages = pagesIn(rows);
  const streams = new Map(
    [...streamsIn(rows)].map(([key, document]) => [key, { document, events: eventsOf(document, pages) }] as const),
  );
  return { rows, pages, streams };
}

/** The streams of one kind, by the part of the key behind it. */
export function streamsOfKind({ streams }: ServiceEvidence, kind: string): Map<string, Stream> {
  const prefix = `${kind}:`;
  return new Map(
    [...streams].flatMap(([key, stream]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), stream] as const] : [],
    ),
  );
}
