// I6: nothing was given up that a service could have handled; what was made to be refused is among the dead letters.
import type { Evidence } from './evidence.ts';
import type { Violation } from './violation.ts';

/** `poison`: streams whose messages a test has made up. */
export function checkDeadLetters(
  { deadLetters, parked }: Pick<Evidence, 'deadLetters' | 'parked'>,
  poison: ReadonlySet<string>,
): Violation[] {
  const found: Violation[] = [];
  const wrong = (subject: string, what: string) => found.push({ invariant: 'I6', subject, what });
  for (const { topic, app_id, reason, stream, version } of deadLetters) {
    if (!poison.has(stream ?? '')) wrong(`${topic} at ${app_id}`, `${reason}: ${stream} ${version}`);
  }
  for (const { stream, reason } of parked) if (!poison.has(stream)) wrong(stream, `is parked: ${reason}`);
  for (const stream of poison) {
    if (!deadLetters.some((letter) => letter.stream === stream))
      wrong(stream, 'was made to be refused and is no dead letter');
  }
  return found;
}
