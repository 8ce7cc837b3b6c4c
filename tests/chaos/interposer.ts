// An HTTP proxy on loopback that passes everything on as it is until it is told to meddle.
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

export interface Passage {
  readonly method: string;
  readonly path: string;
  /** Name, value, name, value, as they were sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Hands a request to whom it is meant for, as often as one likes. Rejects when there is no answer. */
export type Forward = (passage: Passage) => Promise<Reply>;

/** Decides on a request: the reply is what its sender gets, null cuts the connection. */
export type Meddler = (passage: Passage, forward: Forward) => Promise<Reply | null>;

const THERE_WITHIN_MS = 30_000;

/** Stands on a port in front of another one. */
export class Interposer {
  /** Without one, answers are streamed through. */
  meddler: Meddler | undefined;
  readonly #target: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, response) => {
    this.#pass(incoming, response).catch(() => response.destroy());
  });

  constructor(port: number, target: number) {
    this.#target = target;
    this.#server.keepAliveTimeout = 0; // the parties' own time-outs count
    this.#server.requestTimeout = 0;
    this.#server.listen(port, '127.0.0.1');
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    this.meddler = undefined;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false; // the sender's own passes
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    const passage: Passage = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.rawHeaders,
      body: await buffer(incoming),
    };
    const { meddler } = this;
    if (!meddler) {
      const answer = await this.#send(passage, leaving.signal);
      response.writeHead(answer.statusCode ?? 0, answer.statusMessage ?? '', answer.rawHeaders);
      response.flushHeaders();
      answer.once('error', () => response.destroy());
      answer.pipe(response);
      return;
    }
    const forward: Forward = async (given) => {
      const answer = await this.#send(given);
      return { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: await buffer(answer) };
    };
    const reply = await meddler(passage, forward);
    if (reply) response.writeHead(reply.status, [...reply.headers]).end(reply.body);
    else response.destroy();
  }

  /** daprd asks for `/dapr/...` once it can connect, and it always can connect to us: those wait until the app is there. */
  async #send(passage: Passage, signal?: AbortSignal): Promise<IncomingMessage> {
    const deadline = Date.now() + THERE_WITHIN_MS;
    for (;;) {
      const sent = this.#request(passage, signal);
      try {
        return await sent.answer;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isIdle = sent.isReused() && code === 'ECONNRESET'; // closed by the other side before we wrote
        const isEarly = code === 'ECONNREFUSED' && passage.method === 'GET' && passage.path.startsWith('/dapr/');
        if (signal?.aborted || !(isIdle || isEarly) || Date.now() > deadline) throw error;
        await pause(isEarly ? 50 : 0);
      }
    }
  }

  #request({ method, path, headers, body }: Passage, signal?: AbortSignal) {
    const outgoing = request({
      ...{ host: '127.0.0.1', port: this.#target, method, path, agent: this.#agent, setHost: false },
      headers: withLength(headers, body),
      ...(signal && { signal }),
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
    });
    outgoing.end(body);
    return { answer, isReused: () => outgoing.reusedSocket };
  }
}

/** As they were, unless the body's length was not told, or is another one now. */
function withLength(headers: readonly string[], body: Buffer): string[] {
  const length = String(body.length);
  const pairs = Array.from({ length: headers.length / 2 }, (_, n) => [headers[2 * n], headers[2 * n + 1]] as string[]);
  const isFrame = ([name = '', value]: string[]) =>
    /^transfer-encoding$/i.test(name) || (/^content-length$/i.test(name) && value !== length);
  const kept = pairs.filter((pair) => !isFrame(pair));
  return kept.length === pairs.length ? [...headers] : [...kept.flat(), 'content-length', length];
}
