// When the provider gave no answer that can be relied on: the outcome is unknown and the work is repeated with its key.
import Stripe from 'stripe';
import { Fault } from '#kit/errors';

export type ProviderFaultCode =
  /** No answer in time. */
  | 'PROVIDER_TIMEOUT'
  /** No connection, or it broke before the answer was whole. */
  | 'PROVIDER_UNREACHABLE'
  /** 5xx, rate limit, lock: the provider itself is in trouble or busy. */
  | 'PROVIDER_ERROR'
  /** It did not accept our key or our rights: somebody has to mend the settings. */
  | 'PROVIDER_CREDENTIALS'
  /** An answer, but not to what was asked: an open breaker, a proxy's page, another payment. */
  | 'PROVIDER_ANSWER'
  /** The provider is still at it. */
  | 'PROVIDER_PENDING';

/** Thrown when it is not known what the provider did. Never holds card tokens or keys, nor does its cause. */
export class ProviderFault extends Fault {
  override readonly name = 'ProviderFault';
  readonly code: ProviderFaultCode;

  constructor(code: ProviderFaultCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The fault behind an error of the Stripe client that is no refusal. `doing` is for the log: `capture p1`. */
export function faultOf(error: unknown, doing: string): ProviderFault {
  if (error instanceof ProviderFault) return new ProviderFault(error.code, `${doing}: ${error.message}`, error.cause);
  if (!(error instanceof Stripe.errors.StripeError)) {
    return new ProviderFault('PROVIDER_ANSWER', `${doing}: no answer that can be read`, error);
  }
  const code = codeOf(error);
  // Not the client's error itself: it carries headers and the provider's words, which repeat tokens.
  const cause = error instanceof Stripe.errors.StripeConnectionError ? error.detail : new Error(summary(error));
  return new ProviderFault(code, `${doing}: no outcome (${code})`, cause);
}

function codeOf(error: Stripe.errors.StripeError): ProviderFaultCode {
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return error.message.includes('timeout') ? 'PROVIDER_TIMEOUT' : 'PROVIDER_UNREACHABLE';
  }
  if (error.statusCode === 401 || error.statusCode === 403) return 'PROVIDER_CREDENTIALS';
  if (error.statusCode === undefined) return 'PROVIDER_ANSWER';
  return 'PROVIDER_ERROR';
}

function summary(error: Stripe.errors.StripeError): string {
  const { type, statusCode, code, requestId } = error;
  return [type, statusCode, code, requestId].filter((part) => part !== undefined).join(' ');
}
