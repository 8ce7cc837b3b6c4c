// What inventory answers without opening every document: stock by shop, and movements that are not finished.
import type { Message } from '#kit/events/message';
import type { Database } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import { type Row, Table } from '#kit/views/table';
import type { ChangedLine } from './reservation.ts';

export interface StockRow {
  readonly sku: string;
  readonly on_hand: number;
  readonly reserved: number;
}

export interface OpenMovement {
  /** Key of its stream. */
  readonly id: string;
  readonly kind: 'receipt' | 'adjustment' | 'write-off' | 'count' | 'transfer' | 'arrival';
  readonly shop_id: string;
  readonly reference: string;
}

interface Movement {
  readonly shopId: string;
  readonly reference: string;
}

export interface InventoryViews {
  readonly projections: readonly Projection[];
  readonly stock: Table;
  /** Stock of a shop by sku, after a sku. */
  stockOf(shopId: string, after: string, limit: number): Promise<StockRow[]>;
  /** Movements that were opened more than `seconds` ago and never finished, at most 100. */
  openMovements(seconds: number): Promise<OpenMovement[]>;
}

/** Id of a stock row: shop ids cannot hold the separator unescaped. */
export function stockId(shopId: string, sku: string): string {
  return `${encodeURIComponent(shopId)}/${encodeURIComponent(sku)}`;
}

export function inventoryViews(database: Database): InventoryViews {
  const stock = new Table(database, {
    name: 'stock',
    columns: {
      id: 'text',
      version: 'integer',
      shop_id: 'text',
      sku: 'text',
      on_hand: 'bigint',
      reserved: 'bigint',
      sold: 'bigint',
    },
    indexes: ['create index if not exists stock_by_shop on stock (shop_id, sku collate "C")'],
  });
  const movements = new Table(database, {
    name: 'movements',
    columns: {
      id: 'text',
      version: 'integer',
      kind: 'text',
      shop_id: 'text',
      reference: 'text',
      open: 'boolean',
      at: 'timestamptz',
    },
    indexes: ['create index if not exists movements_open on movements (at) where open'],
  });

  const stockRows = ({ data }: Message<{ shopId: string; lines: readonly ChangedLine[] }>): Row[] =>
    data.lines.map(({ sku, itemVersion, onHand, reserved, sold }) => ({
      id: stockId(data.shopId, sku),
      version: itemVersion,
      shop_id: data.shopId,
      sku,
      on_hand: onHand,
      reserved,
      sold,
    }));
  const movementRow = (message: Message<Movement>, open: boolean): Row[] => {
    const { stream, version, at, data } = message;
    const kind = stream.slice(0, stream.indexOf(':'));
    return [{ id: stream, version, kind, shop_id: data.shopId, reference: data.reference, open, at }];
  };
  const opened = (message: Message<Movement>) => movementRow(message, true);
  const closed = (message: Message<Movement>) => movementRow(message, false);
  /** Open as long as the destination has not received what it receives as sent. */
  const dispatched = (message: Message<Movement & { readonly receive: boolean }>) =>
    movementRow(message, message.data.receive);

  return {
    stock,
    projections: [
      {
        topic: 'inventory',
        tables: [
          {
            table: stock,
            rows: {
              'stock.reserved': stockRows,
              'stock.released': stockRows,
              'stock.committed': stockRows,
              'stock.uncommitted': stockRows,
              'stock.returned': stockRows,
              'stock.received': stockRows,
              'stock.adjusted': stockRows,
              'stock.written-off': stockRows,
              'stock.counted': stockRows,
              'stock.dispatched': stockRows,
              'stock.arrived': stockRows,
              'stock.threshold-set': stockRows,
            },
          },
          {
            table: movements,
            rows: {
              'receipt.opened': opened,
              'receipt.booked': closed,
              'adjustment.opened': opened,
              'stock.adjusted': closed,
              'adjustment.refused': closed,
              'write-off.opened': opened,
              'stock.written-off': closed,
              'write-off.refused': closed,
              'count.opened': opened,
              'stock.counted': closed,
              'transfer.opened': opened,
              'stock.dispatched': dispatched,
              'transfer.refused': closed,
              'transfer.received': closed,
              'arrival.opened': opened,
              'stock.arrived': closed,
            },
          },
        ],
      },
    ],
    stockOf(shopId, after, limit) {
      const sql =
        'select sku, on_hand, reserved from stock where shop_id = $1 and sku collate "C" > $2 ' +
        'order by sku collate "C" limit $3';
      return database.query<StockRow>(sql, [shopId, after, limit]);
    },
    openMovements(seconds) {
      const sql =
        "select id, kind, shop_id, reference from movements where open and at < now() - $1::int * interval '1 second' " +
        'order by at limit 100';
      return database.query<OpenMovement>(sql, [seconds]);
    },
  };
}
