// The card provider simulator as a process: Stripe's payment-intent API on 127.0.0.1, with a durable book of its own.
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { openBook } from './book.ts';
import { openControl } from './control.ts';
import { cardProvider } from './server.ts';
import { startWebhooks } from './webhooks.ts';

const environment = z.object({
  /** 0 takes a free port; the line on stdout tells which. */
  PORT: z.coerce.number().int().min(0).max(65_535),
  DATA_FILE: z.string().min(1),
  API_KEY: z.string().min(1),
  /** Without it no webhooks are made. */
  WEBHOOK_URL: z.url().optional(),
  WEBHOOK_SECRET: z.string().min(1).optional(),
});

const settings = environment.safeParse(process.env);
if (!settings.success) {
  console.error(`card provider: wrong environment\n${z.prettifyError(settings.error)}`);
  process.exit(2);
}
const { PORT, DATA_FILE, API_KEY, WEBHOOK_URL, WEBHOOK_SECRET } = settings.data;
const target = WEBHOOK_URL && WEBHOOK_SECRET ? { url: WEBHOOK_URL, secret: WEBHOOK_SECRET } : null;

const book = openBook(DATA_FILE);
const control = openControl(book);
const webhooks = target && startWebhooks(book, target, control.faults);
const server = cardProvider(book, control, { apiKey: API_KEY, webhooks: target !== null });

server.on('error', (error) => {
  console.error(`card provider: cannot listen on 127.0.0.1:${PORT}: ${error.message}`);
  process.exit(1);
});
server.listen(PORT, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'card provider listening', port: (server.address() as AddressInfo).port }));
});

async function stop(): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await webhooks?.stop();
  book.close();
  process.exit(0);
}
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
