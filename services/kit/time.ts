// Instants, days and time zones. The core never reads a clock: whoever decides is told the time.
import { z } from 'zod';

/** Tells the time; tests give another one. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** Years that every part can compute with: PostgreSQL has no year 0, and nobody sold anything before 1900. */
const YEARS = /^(19|2\d)\d\d/;

/** An instant as text, ISO 8601 in UTC (`2026-11-23T09:00:00Z`), from 1900 on, at most microseconds. */
export const Instant = z.iso
  .datetime()
  .max(27)
  .regex(YEARS, 'a year from 1900 to 2999')
  .meta({ description: 'An instant, ISO 8601 in UTC' });

/** A calendar day, `YYYY-MM-DD`, from 1900 on. */
export const Day = z.iso.date().regex(YEARS, 'a year from 1900 to 2999').meta({ description: 'A calendar day' });

/**
 * Names that this runtime and PostgreSQL read alike. The abbreviations differ (`BST` is Dhaka here and London there) or
 * are unknown to one of them, and so is a zone that was withdrawn.
 */
const SHARED = /^(UTC|[A-Za-z]+(\/[A-Za-z0-9_+-]+)+)$/;
const WITHDRAWN = new Set(['US/Pacific-New']);

/** An IANA time zone by region, such as `Europe/Rome`, or `UTC`. */
export const TimeZone = z
  .string()
  .max(64)
  .refine((name) => SHARED.test(name) && !WITHDRAWN.has(name) && isTimeZone(name), 'not a time zone by region, or UTC')
  .meta({ description: 'An IANA time zone' });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
