import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { cpuOf, machineCpu, pssOf, readProcesses, treeOf } from './processes.ts';

const burn = 'const end = process.cpuUsage().user + 100_000; while (process.cpuUsage().user < end);';

/** A process that lets two children work, one after another ended and one alive, and then waits to be told to go. */
const parent = `
  const { spawn, spawnSync } = require('node:child_process');
  spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(`${burn} process.stdout.write('x'); process.stdin.resume();`)}]);
  child.stdout.once('data', () => process.stdout.write('ready'));
  process.stdin.on('end', () => child.stdin.end()).resume();
`;

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('the CPU of a process', () => {
  it('counts children that work and children that have ended', async () => {
    const child = spawn(process.execPath, ['-e', parent], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const machine = machineCpu();
      await once(child.stdout, 'data');
      const pid = child.pid as number;
      const table = readProcesses();
      expect(treeOf(table, pid)).toHaveLength(2);
      expect(cpuOf(table, pid)).toBeGreaterThanOrEqual(190);
      expect(cpuOf(table, process.pid)).toBeGreaterThan(cpuOf(table, pid));
      expect(machineCpu() - machine).toBeGreaterThan(70);
      // Its heap and more: what it shares with other processes counts the less, the more of them there are.
      expect(pssOf([pid])).toBeGreaterThan(4 * 2 ** 20);
    } finally {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    }
  }, 30_000);

  it('is nothing for a process that is not there', () => {
    expect(cpuOf(readProcesses(), 2 ** 30)).toBe(0);
    expect(pssOf([2 ** 30])).toBe(0);
  });
});
