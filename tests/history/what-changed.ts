// What an event changed, in a line or a few. An event that is not known here is shown as it is.
import type { Recorded } from './sources.ts';

/** Lines of a basket that are shown; the rest is counted. */
const MOST_LINES = 8;
/** Characters of an unknown event that are shown. */
const MOST_TEXT = 200;

/** Members that the events read here have; each event has some of them. */
interface Data {
  readonly lines?: readonly Line[];
  readonly shortages?: readonly { readonly sku: string; readonly wanted: number; readonly available: number }[];
  readonly net?: number;
  readonly amount?: number;
  readonly currency?: string;
  readonly tender?: { readonly method: string };
  readonly channel?: string;
  readonly shopId?: string;
  readonly cancellation?: Reason;
  readonly from?: string;
  readonly reason?: Reason | string;
  readonly providerRef?: string | null;
  readonly refundRef?: string | null;
  readonly template?: string;
  readonly accountId?: string;
  readonly quantity?: number;
  readonly whole?: boolean;
  readonly returnId?: string;
  readonly returnAmount?: number;
  readonly refundedAmount?: number;
}

interface Reason {
  readonly code: string;
  readonly detail: string;
}

interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice?: number;
  readonly total?: number;
  readonly onHand?: number;
  readonly reserved?: number;
  readonly sold?: number;
  readonly damaged?: number;
  readonly condition?: string;
  readonly amount?: number;
}

const words: Readonly<Record<string, (data: Data) => readonly string[]>> = {
  'order.placed': ({ lines = [], net, currency, tender, channel, shopId }) => [
    `status: placed; ${channel} at ${shopId}, ${money(net, currency)} by ${tender?.method}`,
    ...listed(
      lines,
      (line) => `${line.quantity} x ${line.sku} at ${money(line.unitPrice, currency)} = ${money(line.total, currency)}`,
    ),
  ],
  'order.confirmed': ({ net, currency }) => [`status: placed -> confirmed; ${money(net, currency)} paid`],
  'order.cancelled': ({ from, cancellation }) => [`status: ${from} -> cancelled; ${because(cancellation)}`],
  'order.refunded': ({ amount, currency }) => [`payment: refunding -> refunded; ${money(amount, currency)}`],
  'order.fulfilled': ({ lines = [], whole }) => [
    whole ? 'status: confirmed -> fulfilled; handed out:' : 'handed out, some is left:',
    ...listed(lines, ({ sku, quantity }) => `${quantity} x ${sku}`),
  ],
  'order.returned': ({ lines = [], amount, currency, reason }) => [
    `${money(amount, currency)} to be given back${reason ? `; ${reason}` : ''}`,
    ...listed(
      lines,
      (line) => `${line.quantity} x ${line.sku} ${line.condition} came back = ${money(line.amount, currency)}`,
    ),
  ],
  'stock.found': ({ lines = [] }) =>
    listed(lines, ({ sku, quantity }) => `${sku}: ${quantity} found, sold but not on record`),
  'stock.reserved': moved('reserved'),
  'stock.released': (data) => [because(data.reason), ...moved('released')(data)],
  'stock.committed': moved('sold'),
  'stock.uncommitted': (data) => [because(data.reason), ...moved('back on hand')(data)],
  'stock.returned': ({ lines = [] }) =>
    listed(
      lines,
      ({ sku, quantity, damaged, onHand }) =>
        `${sku}: ${quantity} back on hand, ${damaged} damaged -> on hand ${onHand}`,
    ),
  'stock.rejected': ({ shortages = [] }) =>
    listed(
      shortages,
      ({ sku, wanted, available }) => `${sku}: ${wanted} wanted, ${available} available; nothing reserved`,
    ),
  'reservation.closed': ({ reason }) => [`nothing was reserved and nothing will be; ${because(reason)}`],
  'payment.requested': ({ amount, currency }) => [`status: capturing ${money(amount, currency)}`],
  'payment.captured': ({ amount, currency, providerRef }) => [
    `status: captured; ${money(amount, currency)}${providerRef ? ` (${providerRef})` : ', no provider asked'}`,
  ],
  'payment.failed': ({ reason }) => [`status: failed; ${because(reason)}`],
  'payment.voided': ({ reason }) => [`status: voided, nothing will be captured; ${because(reason)}`],
  'payment.cancellation-noted': ({ reason }) => [`what may be captured will be given back; ${because(reason)}`],
  'payment.refund-requested': ({ amount, currency, reason }) => [
    `status: refunding ${money(amount, currency)}; ${because(reason)}`,
  ],
  'payment.refunded': ({ amount, currency, refundRef }) => [
    `status: refunded; ${money(amount, currency)}${refundRef ? ` (${refundRef})` : ''}`,
  ],
  'payment.return-requested': ({ returnAmount, currency, returnId }) => [
    `${money(returnAmount, currency)} to be given back for return ${returnId}`,
  ],
  'payment.return-refunded': ({ returnAmount, refundedAmount, amount, currency, refundRef }) => [
    `${money(returnAmount, currency)} given back${refundRef ? ` (${refundRef})` : ''}, ` +
      `${money(refundedAmount, currency)} of ${money(amount, currency)} in all`,
  ],
  'notification.requested': ({ template, accountId }) => [`mail ${template} to account ${accountId}: to be sent`],
  'notification.sent': ({ template }) => [`mail ${template}: sent`],
  'notification.skipped': ({ template, reason }) => [`mail ${template}: not sent; ${because(reason)}`],
};

/** Lines for people. */
export function whatChanged({ type, data }: Pick<Recorded, 'type' | 'data'>): readonly string[] {
  const known = words[type];
  if (known) return known(data as Data);
  const text = JSON.stringify(data);
  return [text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text];
}

function moved(how: string): (data: Data) => readonly string[] {
  return ({ lines = [] }) =>
    listed(
      lines,
      ({ sku, quantity, onHand, reserved, sold }) =>
        `${sku}: ${quantity} ${how} -> on hand ${onHand}, reserved ${reserved}, sold ${sold}`,
    );
}

function listed<T>(lines: readonly T[], of: (line: T) => string): string[] {
  const rest = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES).map(of), ...(rest > 0 ? [`and ${rest} more`] : [])];
}

function because(reason: Reason | string | undefined): string {
  if (reason === undefined) return 'no reason given';
  return typeof reason === 'string' ? reason : `${reason.code}: ${reason.detail}`;
}

/** An amount of minor units with its currency, `12.50 USD`. */
function money(minor: number | undefined, currency: string | undefined): string {
  if (minor === undefined || currency === undefined) return '?';
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return `${(minor / 10 ** digits).toFixed(digits)} ${currency}`;
}
