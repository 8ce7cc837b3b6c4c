// Stripe's error shape. Source: the API reference, "Errors" and "Error codes".

/** The `error` object of an answer that is not a success. */
export type StripeErrorBody = {
  type: 'card_error' | 'invalid_request_error' | 'idempotency_error' | 'api_error';
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  charge?: string;
  payment_intent?: unknown;
};

/**
 * A refusal on the way to an answer. `execution` tells whether the request had begun to be carried out: an answer from
 * then on is kept under its idempotency key, one from the validation before is not (Stripe, "Idempotent requests").
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: StripeErrorBody;
  readonly execution: boolean;

  constructor(status: number, body: StripeErrorBody, execution = false) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.execution = execution;
  }
}

/** 400: a parameter is absent, unknown or wrong. */
export function invalid(message: string, param?: string, code?: string): Refusal {
  return new Refusal(400, { type: 'invalid_request_error', message, ...(code && { code }), ...(param && { param }) });
}

/** An id that names nothing: 404 when it is the resource of the address, 400 when it is a parameter. */
export function missing(kind: string, id: string, param: string, status: 400 | 404): Refusal {
  return new Refusal(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param,
  });
}

/** 400: the intent is in a state that does not allow this; the object comes with the error. */
export function unexpectedState(message: string, intent: unknown): Refusal {
  return new Refusal(
    400,
    { type: 'invalid_request_error', code: 'payment_intent_unexpected_state', message, payment_intent: intent },
    true,
  );
}
