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
  readonly kind: 'receipt' | 'adjustment';
  readonly shop_id: string;
  readonly reference: string;
}

export interface InventoryViews {
  readonly projections: readonly Projection[];
  readonly stock: Table;
  /** Stock of a shop by sku, after a sku. */
  stockOf(shopId: string, after: string, limit: number): Promise<StockRow[]>;
  /** Receipts and adjustments that were opened more than `seconds` ago and never finished, at most 100. */
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
  const movementRow =
    (kind: OpenMovement['kind'], open: boolean) =>
    ({ stream, version, at, data }: Message<{ shopId: string; reference: string }>): Row[] => [
      { id: stream, version, kind, shop_id: data.shopId, reference: data.reference, open, at },
    ];

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
            },
          },
          {
            table: movements,
            rows: {
              'receipt.opened': movementRow('receipt', true),
              'receipt.booked': movementRow('receipt', false),
              'adjustment.opened': movementRow('adjustment', true),
              'stock.adjusted': movementRow('adjustment', false),
              'adjustment.refused': movementRow('adjustment', false),
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
        "select kind, shop_id, reference from movements where open and at < now() - $1::int * interval '1 second' " +
        'order by at limit 100';
      return database.query<OpenMovement>(sql, [seconds]);
    },
  };
}
