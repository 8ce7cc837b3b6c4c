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
  .refine((name) => /^[A-Za-z]/.test(name) && dayFormat(name) !== undefined, 'not a time zone')
  .meta({ description: 'An IANA time zone' });

/** The calendar day of an instant in a time zone. @throws {RangeError} unknown zone or not an instant */
export function dayIn(timeZone: string, instant: string | Date): string {
  const format = dayFormat(timeZone);
  if (!format) throw new RangeError(`${timeZone} is not a time zone`);
  return format.format(new Date(instant));
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats are dear to make (0.1 ms) and few: one per zone is kept. */
function dayFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(timeZone);
  if (known) return known;
  try {
    // Sweden writes its days as ISO 8601 does.
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
    return format;
  } catch {
    return undefined;
  }
}
