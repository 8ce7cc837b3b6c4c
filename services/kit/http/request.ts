// What every request carries besides its route: its trace, its log, its route for the figures.
import type Koa from 'koa';
import type { Log } from '../log.ts';
import type { Trace } from './trace.ts';

/** Kept in `ctx.state` by the first middleware of the app. */
export interface RequestState extends Trace {
  log: Log;
  /** Route template, the label of the figures. */
  route: string;
  /** True where the client is outside: no inner headers. */
  outermost: boolean;
  /** Aborts when the client goes away before the answer. */
  signal: AbortSignal;
}

/** The state of a request. */
export function stateOf(ctx: Koa.Context): RequestState {
  return ctx.state as RequestState;
}
