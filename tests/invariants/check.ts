// Runs every checker until nothing is wrong or the time is over, and says what it found as a table.
import { setTimeout as pause } from 'node:timers/promises';
import type { Mesh } from '../../stack/mesh.ts';
import { atOnce, atRest } from './checkers.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import type { AnsweredOrder } from './sagas.ts';
import { INVARIANTS, type Invariant, type Violation } from './violation.ts';

export interface CheckOptions {
  /** Orders that clients were answered 2xx for, by their keys. */
  readonly answered?: readonly AnsweredOrder[];
  /** Streams that a test made up to be refused: exactly their messages may be among the dead letters (I6). */
  readonly poison?: ReadonlySet<string>;
  /** Milliseconds until what is still wrong is a violation; a minute unless told (I2). */
  readonly within?: number;
  /** Where the table goes; nowhere when null. */
  readonly out?: { write(text: string): unknown } | null;
}

/**
 * Checks all invariants of a mesh that is to come to rest. What may never be wrong, not for a moment (I1, I3, I5, I10),
 * counts when it is seen once; the others when they are still wrong at the end of the time.
 */
export async function checkInvariants(
  mesh: Mesh,
  { answered = [], poison = new Set(), within = 60_000, out = process.stdout }: CheckOptions = {},
): Promise<Violation[]> {
  const deadline = Date.now() + within;
  const ever = new Map<string, Violation>();
  for (;;) {
    const evidence = await gatherEvidence(mesh);
    for (const violation of atOnce(evidence, answered)) ever.set(JSON.stringify(violation), violation);
    const now = atRest(evidence, answered, poison);
    if (now.length === 0 || Date.now() > deadline) {
      const all = [...ever.values(), ...now];
      out?.write(tableOf(all, evidence));
      return all;
    }
    await pause(1_000);
  }
}

/** One line per invariant, and the first violations of each. */
export function tableOf(violations: readonly Violation[], evidence: Evidence): string {
  const streams = [...evidence.services.values()].reduce((sum, service) => sum + service.streams.size, 0);
  const lines = [
    `invariants over ${streams} streams, ${evidence.recorded.length} recorded events, ${evidence.book.intents.length} payment intents`,
  ];
  for (const [invariant, what] of Object.entries(INVARIANTS) as [Invariant, string][]) {
    const own = violations.filter((violation) => violation.invariant === invariant);
    lines.push(`  ${invariant.padEnd(4)} ${own.length === 0 ? 'holds ' : `${own.length} broken`.padEnd(6)}  ${what}`);
    for (const { orderId, subject, what: detail } of own.slice(0, 10))
      lines.push(`         ${orderId ? `order ${orderId}: ` : ''}${subject}: ${detail}`);
    if (own.length > 10) lines.push(`         and ${own.length - 10} more`);
  }
  return `${lines.join('\n')}\n`;
}
