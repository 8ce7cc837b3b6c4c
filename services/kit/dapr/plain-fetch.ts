// As much of fetch as the Stripe client uses, over undici's plain request: the platform's own comes with web streams, at
// several times the CPU.
import { request } from 'undici';

/** Sends a text body; the answer is read once, by `text()` or `json()`. @throws as undici's `request` */
export const plainFetch = (async (url: string | URL, init: RequestInit = {}) => {
  const { statusCode, headers, body } = await request(url, {
    method: init.method as 'GET' | 'POST' | 'DELETE',
    headers: Object.fromEntries(new Headers(init.headers)),
    body: (init.body as string | null | undefined) ?? null,
    signal: init.signal ?? null,
  });
  const pairs = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((each) => [name, each]));
  return {
    status: statusCode,
    ok: statusCode >= 200 && statusCode < 300,
    headers: new Headers(pairs as [string, string][]),
    body,
    text: () => body.text(),
    json: () => body.json(),
  };
}) as unknown as typeof fetch;
