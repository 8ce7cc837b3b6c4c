// The list of orders, newest first, and those whose deadline has passed.
import type { StreamDocument } from '#kit/events/document';
import type { Message } from '#kit/events/message';
import type { Database, Param } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import { type Row, Table } from '#kit/views/table';
import {
  type Order,
  type OrderEvent,
  type OrderSummary,
  orders,
  type PlacedOrder,
  type Placement,
  placedOf,
  placementOf,
  summaryOf,
} from './order.ts';
import { type OrderView, viewOf } from './schemas.ts';

export interface Filter {
  readonly customerId?: string | undefined;
  /** Undefined: every shop. */
  readonly shopIds?: readonly string[] | undefined;
  readonly status?: string | undefined;
  /** ISO 8601; `from` included, `to` not. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly after?: readonly [placedAt: string, id: string] | undefined;
  readonly limit: number;
}

export interface OrderViews {
  readonly projection: Projection;
  readonly table: Table;
  find(filter: Filter): Promise<OrderView[]>;
  /** Orders that are still placed after their deadline, at most 100. */
  overdue(now: string): Promise<string[]>;
}

/** The events that lead to each; each carries what those before it said. */
const STEPS: Readonly<Record<string, readonly OrderEvent['type'][]>> = {
  'order.placed': ['order.placed'],
  'order.confirmed': ['order.placed', 'order.confirmed'],
  'order.cancelled': ['order.placed', 'order.cancelled'],
  'order.refunded': ['order.placed', 'order.cancelled', 'order.refunded'],
};

/** What later events carry is enough for the steps before them. */
function stepOf(type: OrderEvent['type'], data: OrderSummary): OrderEvent {
  return { type, data: type === 'order.placed' ? placementOf(data) : data } as OrderEvent;
}

function rowOf(order: PlacedOrder, version: number): Row {
  const { orderId, shopId, customerId, placedAt, deadlineAt } = order.summary;
  return {
    id: orderId,
    version,
    status: order.status,
    shop_id: shopId,
    customer_id: customerId,
    placed_at: placedAt,
    deadline_at: deadlineAt,
    view: viewOf(order, version),
  };
}

/** `read`: the document of an order, whose own events about goods are too many to carry the whole basket. */
export function orderViews(
  database: Database,
  read: (orderId: string) => Promise<StreamDocument<Order> | undefined>,
): OrderViews {
  const table = new Table(database, {
    name: 'orders',
    columns: {
      id: 'text',
      version: 'integer',
      status: 'text',
      shop_id: 'text',
      customer_id: 'text?',
      placed_at: 'timestamptz',
      deadline_at: 'timestamptz?',
      view: 'jsonb',
    },
    indexes: [
      'create index if not exists orders_by_time on orders (placed_at desc, id desc)',
      'create index if not exists orders_by_customer on orders (customer_id, placed_at desc, id desc)',
      'create index if not exists orders_by_shop on orders (shop_id, placed_at desc, id desc)',
      "create index if not exists orders_open on orders (deadline_at) where status = 'placed'",
    ],
  });

  /** These events are fat enough to make the whole row, whatever was heard before. */
  const row = ({ type, data: given, version, at }: Message<OrderSummary | Placement>): Row[] => {
    const data = 'terms' in given ? summaryOf(given) : given;
    const steps = STEPS[type] ?? [];
    const order = steps.reduce<Order>(
      (state, step) => orders.evolve(state, stepOf(step, data), { version, at }),
      orders.initial,
    );
    return [rowOf(placedOf(order), version)];
  };

  /** As new as the event, or newer. */
  const storedRow = async ({ data }: Message<{ readonly orderId: string }>): Promise<Row[]> => {
    const document = await read(data.orderId);
    if (!document) throw new Error(`there is no order ${data.orderId}`);
    return [rowOf(placedOf(document.state), document.version)];
  };

  return {
    table,
    projection: {
      topic: 'orders',
      tables: [
        {
          table,
          rows: {
            'order.placed': row,
            'order.confirmed': row,
            'order.cancelled': row,
            'order.refunded': row,
            'order.fulfilled': storedRow,
            'order.returned': storedRow,
          },
        },
      ],
    },
    async find({ customerId, shopIds, status, from, to, after, limit }) {
      const where: string[] = [];
      const params: Param[] = [];
      const add = (condition: string, ...values: Param[]) => {
        where.push(condition.replace(/\?/g, () => `$${params.push(values.shift() as Param)}`));
      };
      if (customerId !== undefined) add('customer_id = ?', customerId);
      if (shopIds) add('shop_id = any(?::text[])', shopIds);
      if (status !== undefined) add('status = ?', status);
      if (from !== undefined) add('placed_at >= ?::text::timestamptz', from);
      if (to !== undefined) add('placed_at < ?::text::timestamptz', to);
      if (after) add('(placed_at, id) < (?::text::timestamptz, ?)', ...after);
      const condition = where.length > 0 ? `where ${where.join(' and ')}` : '';
      const rows = await database.query<{ view: OrderView }>(
        `select view from orders ${condition} order by placed_at desc, id desc limit ${Math.trunc(limit)}`,
        params,
      );
      return rows.map(({ view }) => view);
    },
    async overdue(now) {
      const rows = await database.query<{ id: string }>(
        "select id from orders where status = 'placed' and deadline_at <= $1::text::timestamptz order by deadline_at limit 100",
        [now],
      );
      return rows.map(({ id }) => id);
    },
  };
}
