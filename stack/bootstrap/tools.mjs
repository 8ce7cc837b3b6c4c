// Installs what a component set needs besides daprd: only when a profile asks for it, once, into the cache.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeOnce } from './cache.mjs';
import { Failure } from './failure.mjs';
import { archiveClasses } from './kafka-archive.mjs';
import { classArchive } from './kafka-server.mjs';
import { run } from './run.mjs';
import { DYNOXIDE, findTool, javaProgram, kafkaSources, providersIn, toolFolder } from './tools-folder.mjs';

const installers = { dynoxide: installDynoxide, kafka: installKafka, 'redis-server': installRedis };

/** The tools that the components of a profile ask for. */
export function toolsOf(root, profile) {
  const folder = join(root, 'components', profile);
  if (!existsSync(folder)) return []; // the runner says which profiles there are
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  return [...new Set(texts.flatMap(providersIn))].filter((provider) => provider in installers);
}

/** Leaves the tools where `findTool` finds them. */
export async function installTools(tools) {
  for (const tool of new Set(tools)) {
    const install = installers[tool];
    if (!install)
      throw new Failure(`There is no tool ${tool}.`, `The tools are ${Object.keys(installers).join(', ')}.`);
    await install();
  }
}

async function installDynoxide() {
  if (findTool('dynoxide')) return;
  requireProgram(
    'cargo',
    ['--version'],
    'Rust is not installed: the DynamoDB emulator is built from its crate, once.',
    'Install Rust 1.88 or newer (https://rustup.rs), or start a profile without DynamoDB.',
  );
  await makeOnce(toolFolder('dynoxide'), 'dynoxide', async (draft) => {
    const { crate, version, features } = DYNOXIDE;
    let compiled = 0;
    await run(
      {
        title: `Building dynoxide ${version} (once, two minutes)`,
        file: 'cargo',
        args: [
          ...['install', crate, '--version', version, '--locked', '--root', draft],
          ...['--no-default-features', '--features', features],
        ],
        cwd: draft, // no toolchain or cargo settings of some project
        onLine: (line) => (/^\s*Compiling /.test(line) ? `${++compiled} of 111 crates` : undefined),
      },
      'Mend what cargo complains about (network, disk space, Rust 1.88 or newer: `rustup update`) and start again.',
    );
  });
}

async function installKafka() {
  const remedy = 'or start a profile without Apache Kafka.';
  requireProgram(
    javaProgram(),
    ['-version'],
    'Java is not installed: Apache Kafka runs on it.',
    `Install Java 17 or newer (or name its folder in JAVA_HOME), ${remedy}`,
  );
  const folder = toolFolder('kafka');
  if (!existsSync(folder)) {
    requireProgram(
      'mvn',
      ['-version'],
      'Maven is not installed: Apache Kafka is fetched by it, once.',
      `Install Maven (https://maven.apache.org), ${remedy}`,
    );
    await makeOnce(folder, 'Apache Kafka', fetchKafka);
  }
  if (!existsSync(classArchive(folder))) await archiveClasses(folder);
}

async function fetchKafka(draft) {
  for (const file of readdirSync(kafkaSources)) copyFileSync(join(kafkaSources, file), join(draft, file));
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  await run(
    {
      title: 'Fetching Apache Kafka (once, 43 MB)',
      file: 'mvn',
      args: ['-B', plugin, `-DoutputDirectory=${join(draft, 'libs')}`, '-DincludeScope=runtime'],
      cwd: draft,
      onLine: (line) => /Downloaded from .*\/([\w.-]+\.jar)/.exec(line)?.[1],
    },
    'Mend what Maven complains about (network, the mirror in ~/.m2/settings.xml, disk space) and start again.',
  );
}

/** A mesh does without its cache, and the conformance tests say that they leave Redis out: no reason to fail. */
async function installRedis() {
  if (findTool('redis-server')) return;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || spawnSync('apt-get', ['--version']).status !== 0) {
    process.stdout.write(
      'redis-server is not installed: what needs it is left out. Install it from your distribution.\n',
    );
    return;
  }
  try {
    const args = ['install', '-y', '--no-install-recommends', 'redis-server'];
    // RUNLEVEL=1: the package's scripts start no service.
    const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run({ title: 'Installing redis-server', file: 'apt-get', args, cwd: '/', env }, '');
  } catch (error) {
    process.stdout.write(`redis-server could not be installed: what needs it is left out.\n${error.message}\n`);
  }
}

function requireProgram(file, args, message, remedy) {
  if (spawnSync(file, args).status !== 0) throw new Failure(message, remedy);
}
