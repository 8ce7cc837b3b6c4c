// `/reports/stock`.
import { z } from 'zod';
import { isRefusal } from '#kit/errors';
import { type Api, api } from '#kit/http/api';
import { page, paged, pageOf } from '#kit/http/paging';
import { Currency } from '#kit/money';
import type { Database } from '#kit/views/database';
import { shopsOf } from './scope.ts';
import { stockRows } from './stock-query.ts';

const Units = z.int();
const Stock = z
  .strictObject({
    shopId: z.string(),
    sku: z.string(),
    onHand: Units,
    reserved: Units,
    available: Units,
    value: z
      .int()
      .nullable()
      .meta({ description: 'Minor units at the cost of the newest receipt; null: none told one' }),
    currency: Currency.nullable(),
    movements: z.strictObject({
      received: Units,
      found: Units,
      adjusted: Units,
      counted: Units,
      transferredIn: Units,
      transferredOut: Units,
      writtenOff: Units,
      sold: Units,
    }),
    daysOfCover: z.number().nullable().meta({ description: 'Null: nothing was sold in these days' }),
  })
  .meta({ id: 'StockReportRow' });

const Name = z.string().min(1).max(200).optional();

export function stockRoutes(database: Database): Api {
  return api('/reports', { tag: 'reports' }).get(
    '/stock',
    {
      summary: 'Stock: level, value, movements and days of cover',
      description: 'Every sku that was ever in stock, by shop and sku, in the shops that the caller may see.',
      access: { can: 'report:read' },
      query: z.strictObject({
        shopId: Name,
        sku: Name,
        days: z.int().min(1).max(366).default(28).meta({ description: 'How far back movements and sales are counted' }),
        ...paged(z.tuple([z.string(), z.string()])),
      }),
      answers: { 200: pageOf(Stock) },
    },
    async (call) => {
      const shops = shopsOf(call.caller, 'report:read');
      if (isRefusal(shops)) return shops;
      const { limit, cursor: after, ...asked } = call.query;
      const rows = await stockRows(database, { ...asked, ...shops, after, limit: limit + 1 });
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return page(call, items, rows.length > limit && last ? [last.shopId, last.sku] : undefined);
    },
  );
}
