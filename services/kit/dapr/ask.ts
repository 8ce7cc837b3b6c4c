// Asks another service, through both sidecars, for something that it answers as JSON.
import { Fault } from '../errors.ts';
import type { Origin } from '../events/aggregate.ts';
import type { Reply, Sidecar } from './sidecar.ts';

export interface Question {
  /** App-id of the service. */
  readonly to: string;
  readonly method: 'GET' | 'POST';
  /** Encoded, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Milliseconds. */
  readonly timeout: number;
  /** On whose behalf: goes along as trace context and request id, so that what follows there belongs to it. */
  readonly origin?: Pick<Origin, 'correlationId' | 'traceparent'>;
}

/** What the service answers; undefined without a body (204). @throws {Fault} no answer, not all of it, or another status than 2xx. */
export async function ask<T>(sidecar: Pick<Sidecar, 'invoke'>, question: Question): Promise<T> {
  return answerOf<T>(question, await sent(sidecar, question));
}

/** The same for what may not be there: undefined when the service answers 404. @throws {Fault} as {@link ask} */
export async function lookUp<T>(sidecar: Pick<Sidecar, 'invoke'>, question: Question): Promise<T | undefined> {
  const reply = await sent(sidecar, question);
  return reply.status === 404 ? undefined : answerOf<T>(question, reply);
}

function sent(sidecar: Pick<Sidecar, 'invoke'>, { to, method, path, body, timeout, origin }: Question): Promise<Reply> {
  return sidecar.invoke(to, method, path, { body, timeout, headers: origin && headersOf(origin) });
}

function headersOf({ correlationId, traceparent }: Pick<Origin, 'correlationId' | 'traceparent'>) {
  return { 'x-request-id': correlationId, ...(traceparent !== '' && { traceparent }) };
}

function answerOf<T>({ to, method, path }: Question, { status, body }: Reply): T {
  const what = `${method} ${path.split('?', 1)[0]}`;
  if (status < 200 || status >= 300) throw new Fault(`${to} answered ${status} to ${what}`);
  try {
    return (body.length === 0 ? undefined : JSON.parse(body.toString('utf8'))) as T;
  } catch (cause) {
    // daprd ends an answer that broke off as if it were complete.
    throw new Fault(`${to} did not answer ${what} to the end`, { cause });
  }
}
