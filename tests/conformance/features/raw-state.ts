// daprd's state API without the kit: statuses and shapes as they come.
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface SaveItem {
  readonly key: string;
  readonly value: unknown;
  readonly etag?: string | null | undefined;
  readonly options?: { readonly concurrency: 'first-write' } | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
}

export const firstWrite = { concurrency: 'first-write' } as const;
export const upsert = (request: SaveItem) => ({ operation: 'upsert', request });
export const remove = (request: Partial<SaveItem>) => ({ operation: 'delete', request });

/** Dapr's code of an answer that says one. */
export const codeOf = ({ text }: Answer): string => (JSON.parse(text) as { errorCode: string }).errorCode;

let names = 0;
/** A key that no other test of this process has. */
export const freshKey = (): string => `raw-${process.pid}-${++names}`;

export class RawState {
  readonly #port: () => number;

  /** The component `statestore` of the sidecar on that port. */
  constructor(port: () => number) {
    this.#port = port;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${this.#port()}/v1.0/${path}`, {
      method,
      headers,
      ...(text !== undefined && { body: text }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  save(...items: SaveItem[]): Promise<Answer> {
    return this.call('POST', 'state/statestore', items);
  }

  /** Read strongly. */
  get(key: string): Promise<Answer> {
    return this.call('GET', `state/statestore/${key}?consistency=strong`);
  }

  async etag(key: string): Promise<string> {
    return (await this.get(key)).headers.get('etag') ?? '';
  }

  delete(key: string): Promise<Answer> {
    return this.call('DELETE', `state/statestore/${key}`);
  }

  transact(...operations: object[]): Promise<Answer> {
    return this.call('POST', 'state/statestore/transaction', { operations });
  }
}
