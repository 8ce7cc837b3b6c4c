// Gives a dead letter back to the app that gave it up, and to nobody else.
import { ask } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { REDELIVERY, type Redelivered } from '#kit/dapr/subscriber';
import { Fault, type Refusal, refuse } from '#kit/errors';
import type { Act, DeadLetterBook } from './dead-letter-book.ts';

/** Who wants it and why. */
export type Doer = Pick<Act, 'actor' | 'reason' | 'correlationId'>;

export type ReplayOutcome = 'replayed' | 'refused';

/**
 * Replays one letter. Twice is harmless: one that was replayed stays so, and its app knows what it has done. Refuses with
 * NOT_FOUND, LETTER_SETTLED (discarded), LETTER_UNREADABLE, EARLIER_LETTER_OPEN. @throws {Fault} the app gave no answer
 */
export type Replay = (id: string, by: Doer) => Promise<ReplayOutcome | Refusal>;

/** Milliseconds for the app; the gateway gives the whole request 6 s. */
const PATIENCE = 4_000;

export function replayer(book: DeadLetterBook, sidecar: Sidecar): Replay {
  return async (id, by) => {
    const found = await book.read(id);
    if (!found) return refuse('NOT_FOUND');
    const { letter, body } = found;
    if (letter.status === 'replayed') return 'replayed';
    if (letter.status === 'discarded') return refuse('LETTER_SETTLED', { status: letter.status });
    const event = messageOf(body);
    if (event === undefined) return refuse('LETTER_UNREADABLE');
    const earlier = await book.earlier(letter);
    if (earlier) return refuse('EARLIER_LETTER_OPEN', { earlier });
    const redelivered = await ask<Redelivered>(sidecar, {
      ...{ to: letter.app, method: 'POST', path: REDELIVERY, timeout: PATIENCE },
      body: { topic: letter.topic, event },
    });
    if (redelivered.outcome === 'later') throw new Fault(`${letter.app} cannot take the letter now`);
    if (redelivered.outcome === 'refused') {
      await book.settle(letter, { act: 'replay', outcome: 'refused', ...by }, redelivered);
      return 'refused';
    }
    await book.settle(letter, { act: 'replay', outcome: 'replayed', ...by });
    return 'replayed';
  };
}

/** The message in a letter: as the kit buried it, or as daprd did; undefined if it is none, or was too large to keep. */
export function messageOf(body: Buffer): object | undefined {
  try {
    const letter = JSON.parse(body.toString('utf8')) as { reason?: unknown; event?: unknown };
    const event: unknown = typeof letter.reason === 'string' ? letter.event : letter;
    return typeof event === 'object' && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
}
