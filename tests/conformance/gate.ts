// A door between a process and its sidecar that a test can shut: what is sent stays in the gate until it is let through
// or thrown away. So a process can be killed or paused between any two of its calls.
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { freePort } from './ports.ts';

export interface Passage {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Gate {
  readonly port: number;
  /** Calls that came to the gate so far. */
  readonly seen: readonly Passage[];
  /** Calls that are in the gate now. */
  readonly held: readonly Passage[];
  /** From now on, calls for which this is true stay in the gate. */
  shut(which: (call: Passage) => boolean): void;
  /** Opens the gate; what is in it goes on, also if its sender is gone... */
  open(): void;
  /** ...or never arrives: its sender sees the connection break. */
  clear(): void;
  stop(): Promise<void>;
}

/** Publishing, in bulk as the kit does it. */
export const publishing = ({ path }: Passage): boolean => path.startsWith('/v1.0/publish/');
/** The transactions of the write path. */
export const transactions = ({ path }: Passage): boolean => path.endsWith('/transaction');

/** A gate before the sidecar on `target`. */
export async function startGate(target: number): Promise<Gate> {
  let isShut: (call: Passage) => boolean = () => false;
  const seen: Passage[] = [];
  const waiting = new Map<Passage, (pass: boolean) => void>();

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const body = await buffer(incoming);
    const call = { method, path, headers, body: body.toString('utf8') };
    seen.push(call);
    if (isShut(call)) {
      const passes = await new Promise<boolean>((resolve) => waiting.set(call, resolve));
      waiting.delete(call);
      if (!passes) return void incoming.socket.destroy();
    }
    const outgoing = forward({ port: target, host: '127.0.0.1', method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    outgoing.end(body);
  }

  const server = createServer((incoming, response) => void pass(incoming, response).catch(() => response.destroy()));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const leave = (passes: boolean) => {
    isShut = () => false;
    for (const resolve of waiting.values()) resolve(passes);
  };
  return {
    port,
    seen,
    get held() {
      return [...waiting.keys()];
    },
    shut(which) {
      isShut = which;
    },
    open: () => leave(true),
    clear: () => leave(false),
    async stop() {
      leave(false);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
