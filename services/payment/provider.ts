// The card provider's adapter, asked through both sidecars. Its refusals are answers; only faults are errors.
import { ask as askService } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';

export interface CaptureRequest {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly token: string;
}
export interface RefundRequest {
  readonly paymentId: string;
  readonly providerRef: string;
  readonly refundId: string;
  readonly amount: number;
  readonly currency: string;
}

export type Outcome =
  | { readonly outcome: 'captured'; readonly providerRef: string }
  | { readonly outcome: 'declined'; readonly code: string; readonly detail: string; readonly declineCode?: string }
  | { readonly outcome: 'refused'; readonly code: string; readonly detail: string }
  | { readonly outcome: 'refunded'; readonly refundRef: string };

/** What a lookup may find besides an outcome: nothing, or no outcome yet. With a capture come its refunds. */
type Known = (Outcome | { readonly outcome: 'absent' | 'pending' | 'cancelled' }) & {
  readonly refunds?: readonly {
    readonly refundRef: string;
    readonly refundId: string | null;
    readonly status: string;
  }[];
};

/** Idempotent by payment id and refund id. @throws {Fault} no outcome: time-out, provider down, open breaker. */
export interface Provider {
  capture(request: CaptureRequest): Promise<Outcome>;
  refund(request: RefundRequest): Promise<Outcome>;
  /** What became of a capture; undefined if the provider has nothing of it. @throws {Fault} also while it is pending there. */
  lookup(request: { paymentId: string }): Promise<Outcome | undefined>;
  /** A refund that was made earlier; undefined if there is none. @throws {Fault} also while it is pending there. */
  findRefund(request: Pick<RefundRequest, 'paymentId' | 'providerRef' | 'refundId'>): Promise<Outcome | undefined>;
}

export function providerOf(sidecar: Sidecar, timeout: number): Provider {
  async function ask<T extends Known = Outcome>(path: string, body: unknown): Promise<T> {
    const question = { to: 'payment-provider', method: 'POST', path, body, timeout } as const;
    const answer = await askService<Partial<T> | undefined>(sidecar, question);
    // Whatever stands between us may answer 200 too: only a named outcome is one.
    if (typeof answer?.outcome !== 'string') throw new Fault(`payment-provider gave no outcome to ${path}`);
    return answer as T;
  }
  return {
    capture: (request) => ask('/internal/capture', request),
    refund: (request) => ask('/internal/refund', request),
    async lookup(request) {
      const known = await ask<Known>('/internal/lookup', request);
      if (known.outcome === 'captured' || known.outcome === 'declined') return known;
      if (known.outcome === 'absent') return undefined;
      throw new Fault(`the provider says ${known.outcome} of ${request.paymentId}`);
    },
    async findRefund({ paymentId, providerRef, refundId }) {
      const known = await ask<Known>('/internal/lookup', { paymentId, providerRef });
      if (known.outcome !== 'captured') throw new Fault(`the provider says ${known.outcome} of ${paymentId}`);
      const made = known.refunds?.filter((each) => each.refundId === refundId) ?? [];
      const done = made.find(({ status }) => status === 'succeeded');
      if (done) return { outcome: 'refunded', refundRef: done.refundRef };
      if (made.some(({ status }) => status === 'pending')) throw new Fault(`the refund ${refundId} is under way`);
      return undefined;
    },
  };
}
