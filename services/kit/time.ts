// Instants, days and time zones. The core never reads a clock: whoever decides is told the time.
import { z } from 'zod';

/** Tells the time; tests give another one. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** An instant as text, ISO 8601 in UTC (`2026-11-23T09:00:00Z`). */
export const Instant = z.iso.datetime().meta({ description: 'An instant, ISO 8601 in UTC' });

/** A calendar day, `YYYY-MM-DD`. */
export const Day = z.iso.date().meta({ description: 'A calendar day' });

/** An IANA time zone that this runtime knows, such as `Europe/Rome` or `UTC`. */
export const TimeZone = z
  .string()
  .max(64)
  .refine((name) => /^[A-Za-z]/.test(name) && isTimeZone(name), 'not a time zone')
  .meta({ description: 'An IANA time zone' });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
