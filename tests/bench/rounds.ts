// A line under a load, system and chain in turn.
import { type Figures, figuresOf } from './figures.ts';
import { type Load, runLoad } from './load.ts';
import type { Options } from './options.ts';
import type { LineName, Subject } from './subject.ts';
import { measure } from './window.ts';

export interface Bench {
  readonly options: Options;
  readonly subjects: readonly Subject[];
  /** Cores that each uses when nobody asks anything of it. */
  readonly idle: ReadonlyMap<Subject, number>;
}

/** All windows of a line under one load, by subject. */
export interface Row {
  readonly line: string;
  /** `8 clients`, `40/s`. */
  readonly load: string;
  readonly ours: readonly Figures[];
  readonly chain: readonly Figures[];
}

/** Cores that others may use during a window. */
export const MOST_OTHERS = 0.1;
/** A window that others disturbed is measured again, so often. */
const TRIES = 3;

export const progress = (text: string) => process.stderr.write(`${text}\n`);

/** One window after another, so that what changes on the machine meets both. `among`: not all subjects. */
export async function compare(
  bench: Bench,
  line: LineName,
  load: Load,
  among: readonly Subject[] = bench.subjects,
): Promise<Row> {
  const { options, subjects, idle } = bench;
  const name = 'clients' in load ? `${load.clients} clients` : `${load.rate.toFixed(1)}/s`;
  const figures = { ours: [] as Figures[], chain: [] as Figures[] };
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const subject of among) {
      const operation = await subject.operation(line);
      const once = async () => {
        const work = () => runLoad(load, operation);
        const { result, window } = await measure(subject, subjects, idle.get(subject) ?? 0, work);
        return figuresOf(result, window, load);
      };
      let seen = await once();
      for (let tries = 1; tries < TRIES && seen.others > MOST_OTHERS && !options.noisy; tries += 1) {
        progress(`${line}, ${name}, ${subject.name}: others used ${seen.others.toFixed(2)} cores: once more`);
        seen = await once();
      }
      figures[subject.name].push(seen);
      progress(
        `${line}, ${name}, ${subject.name} ${round}/${options.rounds}: ${seen.cpu.toFixed(2)} ms, ` +
          `${seen.rate.toFixed(1)}/s, others ${seen.others.toFixed(2)} cores`,
      );
    }
  }
  return { line, load: name, ...figures };
}
