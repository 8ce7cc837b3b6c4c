// Runs a tool, keeps the end of what it says, and shows that time passes.
import { spawn } from 'node:child_process';
import { Failure } from './failure.mjs';

const TAIL_LINES = 20;
const PLAIN_EVERY_MS = 10_000;

/**
 * Runs a command to its end.
 * @param {{ title: string, file: string, args: string[], cwd: string, env?: object, onLine?: (line: string) => string | undefined }} job
 *   `onLine` sees every line and may answer what to show as progress.
 * @param {string} remedy what to do when it fails
 * @returns {Promise<string>} what it wrote to its output
 */
export async function run({ title, file, args, cwd, env, onLine }, remedy) {
  const progress = showProgress(title);
  const tail = [];
  const lines = splitLines((line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    const detail = onLine?.(line);
    if (detail) progress.detail(detail);
  });
  let output = '';
  const code = await new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      lines(text);
    });
    child.stderr.setEncoding('utf8').on('data', lines);
    child.once('error', (error) => {
      tail.push(error.message);
      resolve(-1);
    });
    child.once('close', resolve);
  });
  progress.end(code === 0);
  if (code === 0) return output;
  throw new Failure(
    `${title} failed (${file} ${args.slice(0, 2).join(' ')}). The end of what it said:\n${tail.join('\n')}`,
    remedy,
  );
}

/** A line that is rewritten each second in a terminal; elsewhere one line every ten seconds. */
export function showProgress(title) {
  const { stdout } = process;
  const startedAt = Date.now();
  let detail = '';
  let drawn = false;
  const text = () => `${title} … ${Math.round((Date.now() - startedAt) / 1000)} s${detail ? `, ${detail}` : ''}`;
  const draw = () => {
    if (!stdout.isTTY) return stdout.write(`${text()}\n`);
    drawn = true;
    return stdout.write(`\r\u001b[K${text().slice(0, stdout.columns - 1)}`);
  };
  const timer = setInterval(draw, stdout.isTTY ? 1_000 : PLAIN_EVERY_MS);
  return {
    detail(next) {
      detail = next;
    },
    end(well = true) {
      clearInterval(timer);
      if (drawn) stdout.write('\r\u001b[K');
      stdout.write(`${title}: ${well ? 'done' : 'failed'} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
    },
  };
}

function splitLines(onLine) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim() !== '') onLine(line);
  };
}
