// What a person sees while the mesh comes up: a table that fills in a terminal, plain lines elsewhere.

import { sidecarOf } from './app-processes.ts';
import type { ProcessHandle } from './supervised.ts';

export interface Board {
  /** Shows the processes as they are now. */
  show(processes: readonly ProcessHandle[]): void;
  /** Prints a line above the table. */
  say(line: string): void;
  /** Leaves the table as it stands; later changes of state are printed as lines. */
  settle(): void;
}

const MARK: Readonly<Record<string, string>> = {
  waiting: '\u001b[2m·\u001b[0m',
  starting: '\u001b[33m…\u001b[0m',
  ready: '\u001b[32m✓\u001b[0m',
  restarting: '\u001b[31m↻\u001b[0m',
  paused: '\u001b[34m‖\u001b[0m',
  stopping: '\u001b[33m-\u001b[0m',
  stopped: '\u001b[2m-\u001b[0m',
};

/** Every line begins with the seconds since the start. */
export function createBoard(out: NodeJS.WriteStream, startedAt = Date.now()): Board {
  let live = out.isTTY === true;
  let drawn = 0;
  let shown = '';
  let last: readonly ProcessHandle[] = [];
  const known = new Map<string, string>();

  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;
  const erase = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    const lines = rows(last);
    const text = lines.join('\n');
    if (text === shown && drawn > 0) return;
    erase();
    out.write(`${text}\n`);
    shown = text;
    drawn = lines.length;
  };
  const lines = () => {
    for (const { name, state, restarts } of last) {
      const now = `${state}${restarts > 0 ? ` (restart ${restarts})` : ''}`;
      if (known.get(name) === now) continue;
      known.set(name, now);
      if (state === 'ready' || state === 'restarting' || state === 'paused')
        out.write(`${seconds()}  ${name} ${now}\n`);
    }
  };

  return {
    show(processes) {
      last = processes;
      if (live) draw();
      else lines();
    },
    say(line) {
      if (live) erase();
      out.write(`${seconds()}  ${line}\n`);
      if (live && last.length > 0) draw();
    },
    settle() {
      for (const { name, state, restarts } of last)
        known.set(name, `${state}${restarts > 0 ? ` (restart ${restarts})` : ''}`);
      live = false;
    },
  };
}

/** One line for a service and its sidecar together, after one for each thing they stand on. */
function rows(processes: readonly ProcessHandle[]): string[] {
  const byName = new Map(processes.map((each) => [each.name, each]));
  const cell = (each: ProcessHandle | undefined) =>
    each ? `${MARK[each.state]} ${`${each.state}${each.restarts > 0 ? ` ↻${each.restarts}` : ''}`.padEnd(14)}` : '';
  const leads = processes.filter(({ name }) => !name.endsWith('-dapr'));
  return leads.map((each) => {
    const sidecar = byName.get(sidecarOf(each.name));
    return `  ${each.name.padEnd(20)} ${cell(each)} ${sidecar ? `sidecar ${cell(sidecar)}` : ''}`.trimEnd();
  });
}
