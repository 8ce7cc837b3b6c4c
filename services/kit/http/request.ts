// What every request carries besides its route: its trace, its log, its route for the figures.
import type Koa from 'koa';
import type { Log } from '../log.ts';
import type { Trace } from './trace.ts';

/** Kept in `ctx.state` by the first middleware of the app. */
export interface RequestState extends Trace {
  /** Says request and trace in every line. */
  readonly log: Log;
  /** Route template, the label of the figures. */
  route: string;
  /** True where the client is outside: no inner headers. */
  readonly outermost: boolean;
  /** Aborts when the client goes away before the answer. */
  readonly signal: AbortSignal;
}

/** The state of a new request. Its log is made when someone writes: most requests say nothing. */
export function newState(trace: Trace, log: Log, rest: Pick<RequestState, 'outermost' | 'signal'>): RequestState {
  let child: Log | undefined;
  return {
    ...trace,
    ...rest,
    route: 'unmatched',
    get log() {
      child ??= log.child({ requestId: trace.requestId, traceId: trace.traceId });
      return child;
    },
  };
}

/** The state of a request. */
export function stateOf(ctx: Koa.Context): RequestState {
  return ctx.state as RequestState;
}
