// What a notification looks like as a mail. HTML only: Dapr's SMTP binding has no text part.
import { type Html, html } from './html.ts';
import type { Content, Named, Subject, Template } from './notification.ts';

export interface Mail {
  readonly subject: string;
  readonly body: string;
}

const LANGUAGE = 'en-US';

/** By currency and by time zone: making one takes longer than all the rest of a mail. */
const formats = new Map<string, Intl.NumberFormat>();
const days = new Map<string, Intl.DateTimeFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const format = formats.get(currency) ?? new Intl.NumberFormat(LANGUAGE, { style: 'currency', currency });
  formats.set(currency, format);
  return format;
}

/** An amount of minor units as people write it: 123456 USD is $1,234.56, 1234 JPY is ¥1,234. Exact at any size. */
export function money(amount: number, currency: string): string {
  const format = formatOf(currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  const text = String(Math.abs(amount)).padStart(digits + 1, '0');
  const decimal = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  // A decimal as text is formatted without going through a float.
  return format.format((amount < 0 ? `-${decimal}` : decimal) as Intl.StringNumericLiteral);
}

const reasons: Readonly<Record<string, string>> = {
  STOCK_INSUFFICIENT: 'Something that you ordered is not in stock any more.',
  PAYMENT_DECLINED: 'Your payment was declined.',
  PAYMENT_TIMEOUT: 'Your payment was not completed in time.',
  CUSTOMER_REQUEST: 'It was cancelled on request.',
  DEADLINE: 'It could not be completed in time.',
};

/**
 * Marks a notification in its mail. A copy, which can only come from a crash while the first one was being sent, bears
 * the same mark.
 */
export function markOf({ orderId, template, returnId }: Named): string {
  return `[order ${orderId} ${template}${returnId === undefined ? '' : ` ${returnId}`}]`;
}

/** The mail of a notification. `name`: how the customer is called; may be empty. */
export function mailOf(subject: Subject, content: Content, name: string): Mail {
  const { title, lead } = words[subject.template](content);
  const hello = name === '' ? 'Hello,' : `Hello ${name},`;
  const { text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family: sans-serif; color: #222; max-width: 40em">
<h1 style="font-size: 1.3em">${title}</h1>
<p>${hello}</p>
${lead}
${basket(content)}
<p>Order ${subject.orderId}, placed on ${dayOf(content)}.</p>
<p style="color: #888; font-size: 0.8em">${markOf(subject)}</p>
</body></html>
`;
  // Of our own words and of an id reduced to letters, digits and hyphens: nothing in it can end a header.
  const short = subject.orderId.replace(/[^A-Za-z0-9-]/g, '').slice(0, 8);
  return { subject: `${title} (${short})`, body: text };
}

const words: Readonly<Record<Template, (content: Content) => { title: string; lead: Html }>> = {
  'order-confirmed': () => ({
    title: 'Your order is confirmed',
    lead: html`<p>Thank you. Your order is paid, and this is what you get:</p>`,
  }),
  'order-cancelled': ({ cancellation }) => ({
    title: 'Your order is cancelled',
    lead: html`<p>Your order was cancelled. ${reasons[cancellation?.code ?? ''] ?? ''} ${
      cancellation?.afterPayment ? 'What you paid is given back.' : 'You pay nothing.'
    }</p>`,
  }),
  'order-returned': ({ returned }) => ({
    title: 'Your return has arrived',
    lead: html`<p>This has come back of your order. What it cost is given back ${
      returned?.method === 'cash' ? 'in cash' : 'to your card'
    }:</p>`,
  }),
};

function basket({ lines, currency, gross, discounts, net, returned }: Content): Html {
  const cell = 'padding: 0.2em 0.6em; text-align: right';
  const sum = (what: string, amount: number) =>
    html`<tr><td colspan="3" style="${cell}">${what}</td><td style="${cell}">${money(amount, currency)}</td></tr>
`;
  return html`<table style="border-collapse: collapse">
<tr><th>Article</th><th>Quantity</th><th>${returned ? '' : 'Price'}</th><th>Total</th></tr>
${lines.map(
  ({ sku, quantity, unitPrice, total }) =>
    html`<tr><td>${sku}</td><td style="${cell}">${quantity}</td><td style="${cell}">${
      returned ? '' : money(unitPrice, currency) // shares of what was charged may differ by a cent
    }</td><td style="${cell}">${money(total, currency)}</td></tr>
`,
)}${discounts > 0 ? [sum('Before discounts', gross), sum('Discounts', -discounts)] : []}${sum('Total', net)}</table>`;
}

function dayOf({ placedAt, timeZone }: Content): string {
  try {
    const format = days.get(timeZone) ?? new Intl.DateTimeFormat(LANGUAGE, { timeZone, dateStyle: 'long' });
    days.set(timeZone, format);
    return format.format(new Date(placedAt));
  } catch {
    return placedAt.slice(0, 10); // a zone that this runtime does not know must not keep a mail for ever
  }
}
