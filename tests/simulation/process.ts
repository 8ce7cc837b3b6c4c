// One process of a service: the real service, built anew at every start, reached by its sidecar, its clients and nobody else.
import type Koa from 'koa';
import { Conflict, Fault, isRefusal, type Refusal } from '../../services/kit/errors.ts';
import type { EventSourced } from '../../services/kit/events/event-sourced.ts';
import { Answer } from '../../services/kit/http/answer.ts';
import type { Call, Route } from '../../services/kit/http/api.ts';
import type { Caller } from '../../services/kit/http/caller.ts';
import { commandId } from '../../services/kit/http/idempotency.ts';
import { hashOf } from '../../services/kit/ids.ts';
import type { Consumer, Declared } from './broker.ts';
import { build } from './services.ts';
import { sidecarOf } from './sidecar.ts';
import type { World } from './world.ts';

/** A request of a client or of another service, after its schemas were checked. */
export interface Asked {
  readonly method: string;
  /** The route's template, or for inner routes the path. */
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly caller?: Caller;
  readonly key?: string;
}

export class SimulatedProcess implements Consumer {
  readonly appId: string;
  readonly replica: number;
  readonly name: string;
  dead = false;
  readonly #world: World;
  readonly #service: EventSourced;
  readonly #routes: readonly Route[];
  #stillUntil = 0;

  constructor(world: World, appId: string, replica: number) {
    this.appId = appId;
    this.replica = replica;
    this.name = `${appId}/${replica}`;
    this.#world = world;
    const { service, routes } = build(world, appId, sidecarOf(world, this));
    this.#service = service;
    this.#routes = routes;
  }

  /** Begins as `runService` does; the sidecar asks what it hears. */
  async start(): Promise<void> {
    const ctx = await this.#ask({ method: 'GET', path: '/dapr/subscribe' });
    this.#world.broker.join(this, ctx.body as Declared[]);
    void this.#service.begin();
  }

  get still(): boolean {
    return this.#world.time.now < this.#stillUntil;
  }

  /** Milliseconds. */
  get stillFor(): number {
    return this.#stillUntil - this.#world.time.now;
  }

  /** Stands still for so many milliseconds: its calls and their answers wait. */
  stand(milliseconds: number): void {
    this.#stillUntil = this.#world.time.now + milliseconds;
    this.#world.broker.miss(this);
  }

  /** Loses its memory: nothing that it waits for ever comes. */
  crash(): void {
    this.dead = true;
    this.#world.crashed(this);
  }

  async deliver(route: string, events: readonly string[]): Promise<readonly ('SUCCESS' | 'RETRY')[]> {
    if (this.still) await this.#world.time.pause(this.stillFor);
    if (this.dead) return [];
    const entries = events.map((event, index) => `{"entryId":"${index}","event":${event}}`);
    const body = Buffer.from(`{"entries":[${entries.join()}]}`);
    this.#world.trace?.(`${this.name} is delivered ${events.length} on ${route}: ${idsIn(events)}`);
    const dies = new Promise<readonly []>((resolve) => this.#world.onCrash(this, () => resolve([])));
    const handled = this.#ask({ method: 'POST', path: route, req: [body] }).then(({ body: answer }) =>
      (answer as { statuses: { status: 'SUCCESS' | 'RETRY' }[] }).statuses.map(({ status }) => status),
    );
    return Promise.race([handled, dies]);
  }

  /** Runs a route. Answers as over HTTP: a body, a refusal, or undefined for 5xx. Never settles if the process dies. */
  async request(asked: Asked): Promise<Answer | Refusal | undefined> {
    if (this.still) await this.#world.time.pause(this.stillFor);
    if (this.dead) return never();
    try {
      const result = await this.#run(asked);
      return this.dead ? never() : result;
    } catch (error) {
      if (!(error instanceof Fault || error instanceof Conflict)) this.#world.failed(this, error);
      return undefined;
    }
  }

  async #run({ method, path, params = {}, body, caller, key }: Asked): Promise<Answer | Refusal> {
    if (path.startsWith('/internal/streams/')) {
      const events = await this.#service.streams.cloudEvents(
        decodeURIComponent(path.slice('/internal/streams/'.length)),
      );
      return new Answer(events ? 200 : 404, { events: events ?? [] });
    }
    const route = this.#routes.find((each) => each.method === method && each.path === path);
    if (!route) throw new Error(`${this.appId} has no ${method} ${path}`);
    const requestId = this.#world.random.uuid();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const call = {
      params,
      query: {},
      body,
      caller,
      key,
      commandId: key && commandId(`${method} ${path}`, caller?.id ?? 'anonymous', key),
      payloadHash: key && hashOf([params, body ?? null]),
      origin: { actor: caller?.id ?? 'anonymous', correlationId: requestId, traceparent, requestId },
    };
    const result = await route.handler(call as unknown as Call);
    if (result instanceof Answer || isRefusal(result)) return result;
    throw new Error(`${path} answered neither an answer nor a refusal`);
  }

  /** The app's own middleware, without request context and health before it and the routes behind it. */
  async #ask(request: { method: string; path: string; req?: readonly Buffer[] }): Promise<{ body?: unknown }> {
    const ctx: typeof request & { body?: unknown } = { ...request };
    const chain = this.#service.app.middleware.slice(2, -1);
    const run = async (index: number): Promise<void> => {
      const next = chain[index];
      if (!next) throw new Error(`${this.appId} does not answer ${request.method} ${request.path}`);
      await next(ctx as unknown as Koa.ParameterizedContext, () => run(index + 1));
    };
    await run(0);
    return ctx;
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

function idsIn(events: readonly string[]): string {
  return events
    .map((text) => {
      const { data } = JSON.parse(text) as { data: { stream: string; version: number } };
      return `${data.stream}@${data.version}`;
    })
    .join(' ');
}
