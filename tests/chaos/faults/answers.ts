// Answers that get lost: the work is done and its client does not hear of it, or it never reached whom it was meant for.
import type { Fault } from '../fault.ts';
import type { Passage } from '../interposer.ts';
import type { Interposers, Side } from '../interposers.ts';

export interface AnswerOptions {
  readonly interposers: Interposers;
  readonly appId: string;
  /** `toApp`: what callers (of the gateway: clients) ask of the service; `toSidecar`: what the service saves, publishes and calls. */
  readonly side: Side;
  /** Cut after the work is done, or before the request is through. */
  readonly cut: 'after' | 'before';
  /** Part of the requests; 0.2 unless told. */
  readonly share?: number;
  /** Which requests besides; all that may be repeated unless told. */
  readonly only?: RegExp;
}

/** Cuts connections, so that a request gets no answer although it was carried out, or was not carried out at all. */
export function lostAnswers({ interposers, appId, side, cut, share = 0.2, only = /^/ }: AnswerOptions): Fault {
  const way = side === 'toApp' ? `by ${appId}` : `from ${appId} to its sidecar`;
  return {
    name: cut === 'after' ? `lost answers ${side === 'toApp' ? way : `to ${appId}`}` : `lost requests ${way}`,
    hits: [side === 'toApp' ? appId : `${appId}-dapr`],
    async strike({ mesh, random }) {
      for (const each of interposers.of(mesh, appId, side)) {
        each.meddler = async (passage, forward) => {
          const isHit = only.test(passage.path) && (side === 'toSidecar' || isRepeatable(passage)) && random() < share;
          if (!isHit) return forward(passage);
          if (cut === 'after') await forward(passage);
          return null;
        };
      }
    },
    async heal({ mesh }) {
      for (const each of interposers.of(mesh, appId, side)) each.meddler = undefined;
    },
  };
}

/** A client may send these again; of the others nobody promises anything. */
function isRepeatable({ method, headers }: Passage): boolean {
  return /^(GET|HEAD)$/.test(method) || headers.some((name) => /^idempotency-key$/i.test(name));
}
