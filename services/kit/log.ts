// One JSON line per happening, without secrets.
import pino from 'pino';

export type Log = pino.Logger;

/** What must never reach a log line, at the top and one level down. */
const secrets = ['authorization', 'password', 'secret', 'token', 'accessToken', 'refreshToken', 'client_secret'];

/** The logger of a service. Fields: `time` (ISO 8601), `level`, `service`, `msg`, and what the caller adds. */
export function createLog(service: string, level = 'info', destination?: pino.DestinationStream): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** A logger that says nothing, for tests. */
export const silent: Log = pino({ level: 'silent' });
