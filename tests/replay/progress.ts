// How far a replay is: one line that redraws itself on a terminal, a plain line now and then elsewhere.

export interface ProgressOptions {
  readonly total: number;
  readonly label: string;
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly now?: () => number;
}

/** Milliseconds between two plain lines, and between two redraws. */
const PLAIN = 5_000;
const DRAW = 100;
const BAR = 30;

/** Counts things done and shows rate and time left. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #started: number;
  #done = 0;
  #shown = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#started = this.#now();
    this.#shown = this.#started - (options.out.isTTY ? DRAW : 0);
  }

  /** One more is done. */
  step(): void {
    this.#done++;
    const due = this.#options.out.isTTY ? DRAW : PLAIN;
    if (this.#now() - this.#shown >= due) this.#show();
  }

  /** Shows the last state and leaves the line. */
  end(): void {
    this.#show();
    if (this.#options.out.isTTY) this.#options.out.write('\n');
  }

  #show(): void {
    this.#shown = this.#now();
    const { total, label, out } = this.#options;
    const seconds = (this.#shown - this.#started) / 1000;
    const rate = seconds > 0 ? this.#done / seconds : 0;
    const left = rate > 0 ? clock((total - this.#done) / rate) : '--:--';
    const share = total === 0 ? 1 : this.#done / total;
    const filled = Math.round(share * BAR);
    const figures = `${this.#done}/${total}  ${rate.toFixed(1)}/s  ${left} left`;
    out.write(
      out.isTTY
        ? `\r\x1b[K${label} [${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${figures}`
        : `${label} ${Math.floor(share * 100)} %  ${figures}\n`,
    );
  }
}

/** Seconds as m:ss. */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
