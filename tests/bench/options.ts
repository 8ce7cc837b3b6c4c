// The command line of `npm run bench`.
import { parseArgs } from 'node:util';
import { type LineName, lineNames } from './subject.ts';

export const usage = `npm run bench -- [line...] [options]
  lines                ${lineNames.join(', ')}; a part of a name is enough; all when none is named
  --clients <list>     closed loop with so many clients, one after another (8,32)
  --rates <list>       also open loops of so many arrivals per second, the same for both: calls compare best at one rate
  --seconds <n>        load in each window (20)
  --rounds <n>         windows of each line, system and chain in turn (3)
  --warm-up <n>        seconds of load on each before the first window (20)
  --open               also p99 at half the peak, and what happens at twice the peak
  --long <orders>      also the cost after so many orders with 11,281 products, beside the empty system (100000)
  --history <orders>   instead of all lines: views, questions and a rebuild at so many orders (100000)
  --soak <minutes>     instead of all lines: memory under a steady load
  --no-chain           the system alone
  --noisy              print a run also when others used the machine
  --json <file>        the whole report as JSON`;

export interface Options {
  readonly lines: readonly LineName[];
  readonly clients: readonly number[];
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly warmUp: number;
  readonly open: boolean;
  readonly long: number;
  readonly history: number;
  readonly soak: number;
  readonly chain: boolean;
  readonly noisy: boolean;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** @throws {RangeError} naming what is wrong */
export function parseOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      clients: { ...text, default: '8,32' },
      rates: { ...text, default: '' },
      seconds: { ...text, default: '20' },
      rounds: { ...text, default: '3' },
      'warm-up': { ...text, default: '20' },
      open: flag,
      long: { ...text, default: '0' },
      history: { ...text, default: '0' },
      soak: { ...text, default: '0' },
      chain: { type: 'boolean', default: true },
      noisy: flag,
      json: text,
      help: flag,
    },
  });
  return {
    lines: linesNamed(positionals),
    clients: numbersIn('clients', values.clients, 1, 1_000),
    rates: values.rates === '' ? [] : numbersIn('rates', values.rates, 1, 1_000),
    seconds: numberIn('seconds', values.seconds, 1, 7_200),
    rounds: numberIn('rounds', values.rounds, 1, 20),
    warmUp: numberIn('warm-up', values['warm-up'], 0, 600),
    long: numberIn('long', values.long, 0, 1_000_000),
    history: numberIn('history', values.history, 0, 1_000_000),
    soak: numberIn('soak', values.soak, 0, 1_440),
    ...{ open: values.open, chain: values.chain, noisy: values.noisy, json: values.json, help: values.help },
  };
}

function linesNamed(words: readonly string[]): LineName[] {
  const strange = words.find((word) => !lineNames.some((name) => name.includes(word)));
  if (strange !== undefined) throw new RangeError(`There is no line "${strange}", only ${lineNames.join(', ')}.`);
  if (words.length === 0) return [...lineNames];
  return lineNames.filter((name) =>
    words.some((word) => ((lineNames as readonly string[]).includes(word) ? name === word : name.includes(word))),
  );
}

function numbersIn(name: string, list: string, least: number, most: number): number[] {
  return list.split(',').map((part) => numberIn(name, part, least, most));
}

function numberIn(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`--${name} takes whole numbers from ${least} to ${most}, not "${text}".`);
  }
  return value;
}
