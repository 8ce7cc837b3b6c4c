// The test cards, by Stripe's names for test payment methods (docs.stripe.com/testing). One name is ours: the slow card.

/** What a card does when it is charged. */
export type Card = { kind: 'good'; slow: boolean } | { kind: 'declined'; declineCode: string; message: string };

const CARDS: Readonly<Record<string, Card>> = {
  pm_card_visa: { kind: 'good', slow: false },
  pm_card_mastercard: { kind: 'good', slow: false },
  /** Not of Stripe: takes `slowCardMs` of the faults table, then succeeds, whether or not the caller still waits. */
  pm_card_visa_slow: { kind: 'good', slow: true },
  pm_card_visa_chargeDeclined: {
    kind: 'declined',
    declineCode: 'generic_decline',
    message: 'Your card was declined.',
  },
  pm_card_visa_chargeDeclinedInsufficientFunds: {
    kind: 'declined',
    declineCode: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
};

/** The card behind a token; `undefined` when there is none. */
export function cardOf(token: string): Card | undefined {
  return Object.hasOwn(CARDS, token) ? CARDS[token] : undefined;
}
