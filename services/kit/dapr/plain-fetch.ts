// As much of fetch as the Stripe client uses: the platform's own comes with web streams, at several times the CPU.
import { Agent, type Dispatcher } from 'undici';
import { Exchange } from './exchange.ts';

/** A `fetch` with connections of its own. It sends a text and reads the answer to its end, to be had once by `text()` or `json()`. */
export function plainFetch(): typeof fetch {
  const agent = new Agent({ keepAliveTimeout: 30_000 });

  async function send(url: string | URL, { method = 'GET', headers, body, signal }: RequestInit = {}) {
    const { origin, pathname, search } = new URL(url);
    const exchange = new Exchange();
    const abort = () => exchange.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const request = { origin, path: pathname + search, method: method as Dispatcher.HttpMethod };
      const sent = { headers: Object.fromEntries(new Headers(headers)), body: (body ?? null) as string | null };
      agent.dispatch({ ...request, ...sent }, exchange);
      const reply = await exchange.reply;
      const text = reply.body.toString('utf8');
      return {
        status: reply.status,
        ok: reply.status >= 200 && reply.status < 300,
        headers: new Map(Object.entries(reply.headers)),
        text: async () => text,
        json: async () => JSON.parse(text) as unknown,
      };
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
  return send as unknown as typeof fetch;
}
