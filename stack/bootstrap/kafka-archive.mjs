// Runs an empty Kafka once: the classes that Java has parsed by the end of it save two thirds of every later start.
import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from './failure.mjs';
import { classArchive, formatArgs, serverArgs, serverProperties } from './kafka-server.mjs';
import { showProgress } from './run.mjs';
import { javaProgram } from './tools-folder.mjs';

const WITHIN_MS = 120_000;

/** Leaves the archive in the folder; its name appears when it is whole. */
export async function archiveClasses(folder) {
  const home = mkdtempSync(join(tmpdir(), 'kafka-'));
  const draft = join(folder, `kafka.jsa.${process.pid}`);
  const properties = join(home, 'server.properties');
  const progress = showProgress("Preparing Kafka's classes (once)");
  let well = false;
  try {
    const [port, controllerPort] = [await freePort(), await freePort()];
    writeFileSync(properties, serverProperties({ port, controllerPort, logs: join(home, 'logs') }));
    await play(formatArgs(folder, properties), (child) => child.exitCode === 0);
    await play(serverArgs(folder, properties, draft), async (child) => {
      if (await accepts(port)) child.kill('SIGTERM');
      return child.exitCode === 143; // ended by our signal, the archive written
    });
    renameSync(draft, classArchive(folder));
    well = true;
  } finally {
    progress.end(well);
    rmSync(home, { recursive: true, force: true });
    rmSync(draft, { force: true });
  }
}

/** Runs Java until `isDone` says so. */
async function play(args, isDone) {
  const child = spawn(javaProgram(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-4_000);
    });
  }
  child.once('error', (error) => {
    output += error.message;
  });
  const deadline = Date.now() + WITHIN_MS;
  while (!(await isDone(child))) {
    const ended = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (ended || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Failure(
        `Kafka's trial run failed. The end of what it said:\n${output}`,
        'See whether `java -version` is 17 or newer, and whether the disk has room.',
      );
    }
    await sleep(100);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
