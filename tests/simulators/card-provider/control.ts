// The tester's side, under /_control: what is in the book, and what is broken on purpose. The server listens on loopback only.
import { ZodError } from 'zod';
import type { Book } from './book.ts';
import { changeFaults, type Faults, NO_FAULTS } from './faults.ts';
import { summary } from './queries.ts';

export type Answer = { status: number; body: unknown; headers?: Record<string, string> };

export type Control = {
  faults(): Faults;
  /** Counts a request that reached the API, also one that is refused because the provider is down. */
  count(): void;
  /** Uses up one of `failNext`, `dropNext`. */
  takeFailure(): boolean;
  takeDrop(): boolean;
  answer(method: string, url: URL, body: string): Answer;
};

/** Faults are not kept over a restart: a restarted provider is a healthy one. */
export function openControl(book: Book): Control {
  let faults = NO_FAULTS;
  let requests = 0;

  const take = (name: 'failNext' | 'dropNext'): boolean => {
    if (faults[name] === 0) return false;
    faults = { ...faults, [name]: faults[name] - 1 };
    return true;
  };

  const routes: Record<string, (url: URL, body: string) => unknown> = {
    'GET /_control/book': (url) => ({ ...summary(book, filterOf(url)), requests }),
    'GET /_control/faults': () => faults,
    'POST /_control/faults': (_url, body) => {
      faults = changeFaults(faults, JSON.parse(body));
      return faults;
    },
    'POST /_control/reset': () => {
      faults = NO_FAULTS;
      return faults;
    },
  };

  return {
    faults: () => faults,
    count: () => {
      requests += 1;
    },
    takeFailure: () => take('failNext'),
    takeDrop: () => take('dropNext'),
    answer(method, url, body) {
      const route = routes[`${method} ${url.pathname}`];
      if (route === undefined) return { status: 404, body: { error: `no ${method} ${url.pathname}` } };
      try {
        return { status: 200, body: route(url, body) };
      } catch (error) {
        if (error instanceof ZodError || error instanceof SyntaxError)
          return { status: 400, body: { error: error.message } };
        throw error;
      }
    },
  };
}

/** `?orderId=` and `?paymentId=` pick the intents of one order or payment. */
function filterOf(url: URL): { name: string; value: string } | null {
  const orderId = url.searchParams.get('orderId');
  if (orderId !== null) return { name: 'order_id', value: orderId };
  const paymentId = url.searchParams.get('paymentId');
  return paymentId === null ? null : { name: 'payment_id', value: paymentId };
}
