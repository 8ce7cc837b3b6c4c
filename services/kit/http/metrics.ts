// Counters, gauges and histograms as Prometheus text (exposition format 0.0.4). Small on purpose: no library, no globals.
import { monitorEventLoopDelay } from 'node:perf_hooks';

type Labels = Readonly<Record<string, string | number>>;

/** Upper bounds in seconds: below a state read, up to the longest wait of a client. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Series {
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): Iterable<string>;
}

export class Metrics {
  readonly #series = new Map<string, Series>();

  /** Process memory and event loop delay are always there. */
  constructor() {
    this.gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
    this.gauge('process_cpu_seconds_total', 'CPU time of the process', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    const delay = monitorEventLoopDelay({ resolution: 50 });
    delay.enable();
    this.gauge('nodejs_eventloop_delay_p99_seconds', 'Event loop delay since the last look, 99th percentile', () => {
      const p99 = delay.percentile(99) / 1e9;
      delay.reset();
      return p99;
    });
  }

  /** Makes a counter; call the result with labels to count. */
  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const values = new Map<string, number>();
    this.#add(name, {
      help,
      type: 'counter',
      lines: () => [...values].map(([labels, value]) => `${name}${braces(labels)} ${value}`),
    });
    return (labels = {}, by = 1) => {
      const key = textOf(labels);
      values.set(key, (values.get(key) ?? 0) + by);
    };
  }

  /** Makes a gauge that is read when someone looks. One number, or several with labels. */
  gauge(name: string, help: string, read: () => number | Iterable<readonly [Labels, number]>): void {
    this.#add(name, {
      help,
      type: 'gauge',
      lines: () => {
        const value = read();
        if (typeof value === 'number') return [`${name} ${value}`];
        return [...value].map(([labels, each]) => `${name}${braces(textOf(labels))} ${each}`);
      },
    });
  }

  /** Makes a histogram of seconds; call the result with labels and a duration. */
  histogram(name: string, help: string): (labels: Labels, seconds: number) => void {
    const values = new Map<string, { counts: number[]; sum: number; count: number }>();
    this.#add(name, {
      help,
      type: 'histogram',
      *lines() {
        for (const [labels, { counts, sum, count }] of values) {
          let below = 0;
          for (const [index, bound] of DURATIONS.entries()) {
            below += counts[index] ?? 0;
            yield `${name}_bucket${braces(labels, `le="${bound}"`)} ${below}`;
          }
          yield `${name}_bucket${braces(labels, 'le="+Inf"')} ${count}`;
          yield `${name}_sum${braces(labels)} ${sum}`;
          yield `${name}_count${braces(labels)} ${count}`;
        }
      },
    });
    return (labels, seconds) => {
      const key = textOf(labels);
      const value = values.get(key) ?? { counts: DURATIONS.map(() => 0), sum: 0, count: 0 };
      values.set(key, value);
      const index = DURATIONS.findIndex((bound) => seconds <= bound);
      if (index >= 0) value.counts[index] = (value.counts[index] ?? 0) + 1;
      value.sum += seconds;
      value.count++;
    };
  }

  /** Everything as Prometheus text. */
  render(): string {
    const out: string[] = [];
    for (const [name, series] of this.#series) {
      out.push(`# HELP ${name} ${series.help}`, `# TYPE ${name} ${series.type}`, ...series.lines());
    }
    return `${out.join('\n')}\n`;
  }

  #add(name: string, series: Series): void {
    if (this.#series.has(name)) throw new Error(`metric ${name} exists already`);
    this.#series.set(name, series);
  }
}

function textOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${String(value).replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',');
}

function braces(...labels: string[]): string {
  const text = labels.filter((label) => label !== '').join(',');
  return text === '' ? '' : `{${text}}`;
}
