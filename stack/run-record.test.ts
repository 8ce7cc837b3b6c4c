import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isRunning, processStartTime, RunRecord } from './run-record.ts';

let folder: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(folder, { recursive: true });
});
const file = () => join(folder, 'run.json');

/** A process like those of a mesh: leader of a group of its own. */
function sleeper(): { pid: number; startTime: string } {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  children.push(child);
  const pid = child.pid as number;
  return { pid, startTime: processStartTime(pid) as string };
}

function leftBy(runner: object, processes: object[]): void {
  writeFileSync(file(), JSON.stringify({ runner, processes }));
}

const deadRunner = { pid: 2 ** 22 - 1, startTime: 'long ago' };

describe('the run record', () => {
  test('a killed runner: exactly its processes are ended', async () => {
    const [mine, foreign] = [sleeper(), sleeper()];
    leftBy(deadRunner, [
      { name: 'order', ...mine },
      { name: 'pid-used-again', pid: foreign.pid, startTime: 'another time' },
      { name: 'gone', pid: 2 ** 22 - 2, startTime: 'x' },
    ]);
    const ended: string[] = [];
    const record = await RunRecord.claim(file(), (name) => ended.push(name));
    expect(ended).toEqual(['order']);
    expect([isRunning(mine), isRunning(foreign)]).toEqual([false, true]);
    record.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a frozen process is ended too', async () => {
    const frozen = sleeper();
    process.kill(frozen.pid, 'SIGSTOP');
    leftBy(deadRunner, [{ name: 'order', ...frozen }]);
    await RunRecord.claim(file());
    expect(isRunning(frozen)).toBe(false);
  });

  test('a live runner keeps its folder, and nothing is ended', async () => {
    const process_ = sleeper();
    leftBy({ pid: process.pid, startTime: processStartTime(process.pid) }, [{ name: 'order', ...process_ }]);
    await expect(RunRecord.claim(file())).rejects.toMatchObject({
      message: expect.stringContaining(`process ${process.pid}`),
      remedy: expect.stringContaining('--data'),
    });
    expect(isRunning(process_)).toBe(true);
    expect(existsSync(file())).toBe(true);
  });

  test('a half-written record is no obstacle', async () => {
    writeFileSync(file(), '{"runner":');
    (await RunRecord.claim(file())).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of many starts at once one wins', async () => {
    leftBy(deadRunner, []);
    const claims = await Promise.allSettled(Array.from({ length: 8 }, () => RunRecord.claim(file())));
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a process that does not exist has no start time', () => {
    expect(processStartTime(2 ** 22 - 3)).toBeUndefined();
  });
});
