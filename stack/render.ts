// Renders components, resiliency and endpoints into a folder for each sidecar, with only what is scoped to it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { StackError } from './errors.ts';
import { type Secrets, secretsFor, writePrivate } from './secrets.ts';
import type { Deployable } from './services.ts';
import { fillIn, type Values } from './values.ts';

/** One Dapr resource as it stands in the repository. */
export interface Resource {
  readonly file: string;
  readonly kind: 'Component' | 'Resiliency' | 'HTTPEndpoint';
  readonly name: string;
  readonly scopes: readonly string[];
  readonly secretNames: readonly string[];
  readonly text: string;
}

/** Folders that hold the resources of a profile. */
export function resourceFolders(root: string, profile: string): string[] {
  return [join(root, 'components', profile), join(root, 'dapr', 'resiliency'), join(root, 'dapr', 'http-endpoints')];
}

/**
 * Reads every resource below the folders.
 * @throws StackError for a file with two documents (daprd silently ignores a Resiliency that is not the first) or without scopes.
 */
export function readResources(folders: readonly string[]): Resource[] {
  const missing = folders.find((folder) => !existsSync(folder));
  if (missing)
    throw new StackError(`There is no folder ${missing}.`, 'Choose a --profile that components/ has a folder for.');
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map((file) => readResource(join(folder, file))),
  );
}

interface Manifest {
  kind: Resource['kind'];
  metadata: { name: string };
  scopes?: string[];
  spec?: { metadata?: { secretKeyRef?: { name: string } }[] };
}

function readResource(file: string): Resource {
  const text = readFileSync(file, 'utf8');
  const documents = parseAllDocuments(text);
  const manifest = documents[0]?.toJS() as Manifest | undefined;
  if (documents.length !== 1 || !manifest?.metadata?.name || !manifest.scopes?.length) {
    throw new StackError(
      `${file} must hold exactly one resource with a name and scopes.`,
      'Split it, or add `scopes:`.',
    );
  }
  const settings = manifest.kind === 'Component' ? (manifest.spec?.metadata ?? []) : [];
  return {
    file,
    kind: manifest.kind,
    name: manifest.metadata.name,
    scopes: manifest.scopes,
    secretNames: settings.flatMap(({ secretKeyRef }) => secretKeyRef?.name ?? []),
    text,
  };
}

/** What one sidecar loads. */
export const scopedTo = (resources: readonly Resource[], appId: string): Resource[] =>
  resources.filter(({ scopes }) => scopes.includes(appId));

/** Writes a sidecar's folder and its own secrets file; answers the folder. */
export function renderSidecar(
  { appId, secrets: wanted }: Deployable,
  resources: readonly Resource[],
  values: Values,
  secrets: Secrets,
): string {
  const home = join(String(values.RUN), appId);
  const folder = join(home, 'resources');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = scopedTo(resources, appId);
  const secretsFile = join(home, 'secrets.json');
  writePrivate(secretsFile, JSON.stringify(secretsFor(secrets, [...wanted, ...own.flatMap((r) => r.secretNames)])));
  for (const { file, kind, text } of own) {
    writeFileSync(
      join(folder, `${kind.toLowerCase()}-${basename(file)}`),
      fillInYaml(text, { ...values, APP_ID: appId, SECRETS_FILE: secretsFile }, file),
    );
  }
  return folder;
}

/** The file of the Configuration that all sidecars share. */
export function configurationOf(values: Values): string {
  return join(String(values.RUN), 'configuration.yaml');
}

/** Writes the Configuration that all sidecars share; answers the file. */
export function renderConfiguration(template: string, values: Values): string {
  const file = configurationOf(values);
  writeFileSync(file, fillInYaml(readFileSync(template, 'utf8'), values, template));
  // The sidecars find each other in this file: whoever writes it says where calls go.
  writePrivate(join(String(values.RUN), 'names.db'), '');
  return file;
}

/** Placeholders stand between double quotes, so values are escaped as a JSON text is. */
function fillInYaml(text: string, values: Values, where: string): string {
  return fillIn(text, values, where, (value) => JSON.stringify(value).slice(1, -1));
}
