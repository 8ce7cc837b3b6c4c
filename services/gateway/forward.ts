// One client request, as many tries as it takes: time-outs, repeats, and long waits cut into short ones.
import type { Reply, Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import { BODY_LENGTH } from '#kit/http/respond';

/** What goes to a service. `url` is path and query. */
export interface Outgoing {
  readonly appId: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface Patience {
  /** A command with an Idempotency-Key: it may be sent again, also while the first try still runs. */
  readonly keyed: boolean;
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
}

/** Times in milliseconds; tests make them short. */
export interface Times {
  /** One try. Below the sidecar's 6 s, which daprd would repeat by itself. */
  readonly attempt: number;
  /** All tries of a request. */
  readonly request: number;
  /** All tries of a keyed command that takes long. */
  readonly command: number;
  /** The longest wait that a service is asked for at once. */
  readonly innerWait: number;
  /** Before a repeat: a service that has just died is back in about half a second. */
  readonly pause: number;
}

export const times: Times = { attempt: 5_500, request: 6_000, command: 60_000, innerWait: 4_000, pause: 500 };

/** Sends requests to services through the sidecar. */
export class Forwarder {
  readonly #sidecar: Sidecar;
  readonly #times: Times;

  constructor(sidecar: Sidecar, allTimes: Times = times) {
    this.#sidecar = sidecar;
    this.#times = allTimes;
  }

  /**
   * The service's answer. A GET or keyed command that got none is sent once more while there is time; a keyed command
   * that only takes long is sent again, which joins the run, for a minute.
   * @throws {Fault} no answer
   */
  async send(outgoing: Outgoing, { keyed, signal }: Patience): Promise<Reply> {
    const repeatable = keyed || outgoing.method === 'GET';
    const started = Date.now();
    for (let repeated = false; ; ) {
      const triedAt = Date.now();
      const left = (keyed ? this.#times.command : this.#times.request) - (triedAt - started);
      const timeout = Math.min(this.#times.attempt, left);
      try {
        return await this.#attempt(outgoing, timeout, signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof Fault)) throw error;
        const spent = Date.now() - triedAt;
        const tookLong = keyed && spent >= timeout - 50;
        const hasTime = left - spent > this.#times.pause;
        if (!hasTime || !(tookLong || (repeatable && !repeated))) throw error;
        repeated ||= !tookLong;
        if (!tookLong) await new Promise((resolve) => setTimeout(resolve, this.#times.pause));
      }
    }
  }

  /**
   * Like {@link send}, for a client that waits up to `seconds`: the service is asked for short waits one after
   * another. An answer that came before its wait was over is final.
   * `ask` makes the request with the wait in it; `follow` tells what to read after a command.
   */
  async sendAndWait(
    seconds: number,
    ask: (innerSeconds: number) => Outgoing,
    follow: (reply: Reply) => ((innerSeconds: number) => Outgoing) | undefined,
    patience: Patience,
  ): Promise<Reply> {
    const until = Date.now() + seconds * 1_000;
    const inner = () => Math.max(0, Math.ceil(Math.min(this.#times.innerWait, until - Date.now()) / 1_000));
    let wait = inner();
    let askedAt = Date.now();
    const first = await this.send(ask(wait), patience);
    const next = follow(first);
    let latest = first;
    while (next && goesOn(latest) && Date.now() - askedAt >= wait * 1_000 && Date.now() < until) {
      wait = inner();
      askedAt = Date.now();
      try {
        const reply = await this.send(next(wait), { ...patience, keyed: false });
        if (!goesOn(reply)) break;
        latest = reply;
      } catch (error) {
        // What is known already is an answer, too.
        if (!(error instanceof Fault)) throw error;
        break;
      }
    }
    if (latest === first || first.status !== 201) return latest;
    return { status: first.status, headers: { ...first.headers, etag: latest.headers.etag }, body: latest.body };
  }

  async #attempt(
    { appId, method, url, headers, body }: Outgoing,
    timeout: number,
    signal: AbortSignal,
  ): Promise<Reply> {
    const reply = await this.#sidecar.invoke(appId, method, url, { raw: body, headers, timeout, signal });
    assertWhole(appId, method, reply);
    return reply;
  }
}

/** A wait may go on after these: the record, what was made, or not changed since. */
function goesOn({ status }: Reply): boolean {
  return status === 200 || status === 201 || status === 304;
}

/** @throws {Fault} for what the service did not say itself, or not to the end: daprd closes a broken answer as if it were complete */
function assertWhole(appId: string, method: string, reply: Reply): void {
  const announced = reply.headers[BODY_LENGTH];
  if (method !== 'HEAD' && announced !== undefined && Number(announced) !== reply.body.length) {
    throw new Fault(`${appId} broke off its answer`);
  }
  const type = String(reply.headers['content-type'] ?? '');
  if (reply.status < 400 || type.startsWith('application/problem+json')) return;
  // Every refusal of our services is a problem document or, at the token route, RFC 6749; the rest is the sidecar's.
  if (!type.startsWith('application/json') || announced === undefined) {
    throw new Fault(`${appId} gave no answer: ${reply.status} ${reply.body.toString('utf8', 0, 200)}`);
  }
}
