// The bare client of a sidecar: undici and nothing else.
import { Pool } from 'undici';

export interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

export type Sidecar = (
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  appId?: string,
  more?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Calls the sidecar on a port of loopback. @throws {Error} an answer of 300 and above, unless `appId` gave it */
export function sidecarOn(port: number, token: string): Sidecar {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64, pipelining: 1 });
  return async (method, path, body, appId, more) => {
    const headers: Record<string, string> = { 'dapr-api-token': token };
    if (appId !== undefined) headers['dapr-app-id'] = appId;
    if (body !== undefined) headers['content-type'] = 'application/json';
    Object.assign(headers, more);
    const payload = typeof body === 'string' || body === undefined ? (body ?? null) : JSON.stringify(body);
    const answer = await pool.request({ method, path, headers, body: payload });
    const text = await answer.body.text();
    if (answer.statusCode >= 300)
      throw new Error(`${method} ${path} answered ${answer.statusCode} ${text.slice(0, 300)}`);
    const { etag } = answer.headers;
    return { status: answer.statusCode, etag: typeof etag === 'string' ? etag.replaceAll('"', '') : undefined, text };
  };
}
