// Starts a whole mesh for the tests, with data of its own, and opens the doors that a suite goes through.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedDemo } from '../../stack/demo.ts';
import { type Mesh, type MeshOptions, startMesh } from '../../stack/mesh.ts';
import { Gateway, type GatewayOptions } from '../client/gateway.ts';
import { client, type Identity, person } from '../client/identity.ts';
import { providerControl } from '../simulators/card-provider/control-client.ts';
import type { Mail, World } from './world.ts';

export interface OpenWorld extends World {
  readonly mesh: Mesh;
  /** Ends the mesh and throws its data away; keeps them (and says where) when `keep` is set. */
  close(keep?: boolean): Promise<void>;
}

export interface WorldOptions extends Pick<MeshOptions, 'base' | 'env' | 'interpose' | 'onStart' | 'replicas'> {
  /** Until an order without a decision is cancelled; the system's own 15 minutes unless told. */
  readonly deadlineSeconds?: number;
}

/** Starts everything on the component set that PROFILE names, and waits until it is ready, demo data included. */
export async function openWorld({
  deadlineSeconds,
  env = {},
  base = 'free',
  ...options
}: WorldOptions = {}): Promise<OpenWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'retail-mesh-'));
  const deadline = deadlineSeconds === undefined ? {} : { ORDER_DEADLINE_SECONDS: String(deadlineSeconds) };
  const mesh = await startMesh({
    profile: process.env.PROFILE ?? 'local',
    ...options,
    base,
    dataDir,
    env: { ...env, order: { ...deadline, ...env.order } },
    seed: ({ url, secrets }) => seedDemo({ baseUrl: url, secrets }),
  });
  const doors = openDoors(mesh.url, mesh.secrets);
  return {
    ...doors,
    mesh,
    provider: providerControl(`http://127.0.0.1:${mesh.ports.cardProvider}`),
    deadlineSeconds: deadlineSeconds ?? 900,
    inbox: () => readInbox(`http://127.0.0.1:${mesh.ports.mailWeb}`),
    async close(keep = false) {
      await doors.anybody.close();
      await mesh.stop();
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The gateway as each demo identity; tokens are asked for when first needed and shared from then on. */
export function openDoors(
  baseUrl: string,
  secrets: Readonly<Record<string, string>>,
  options: Omit<GatewayOptions, 'baseUrl' | 'identity'> = {},
): Omit<World, 'provider' | 'deadlineSeconds' | 'inbox'> {
  const anybody = new Gateway({ baseUrl, connections: 64, patience: 60_000, ...options });
  const secret = (name: string) => {
    const value = secrets[name];
    if (!value) throw new Error(`there is no secret ${name}`);
    return value;
  };
  const staff = (email: string): Gateway => anybody.as(person(email, secret('demo-password')));
  const tills = new Map<string, Identity>();
  return {
    anybody,
    secrets,
    admin: staff('admin@demo.test'),
    manager: staff('manager@demo.test'),
    cashier: staff('cashier@demo.test'),
    customer: staff('customer@demo.test'),
    till(shopId) {
      const identity = tills.get(shopId) ?? client(`till-${shopId}`, secret(`till-${shopId}`));
      tills.set(shopId, identity);
      return anybody.as(identity);
    },
  };
}

/** What the mail sink has taken. */
async function readInbox(url: string): Promise<Mail[]> {
  const answer = await fetch(`${url}/api/email`, { headers: { accept: 'application/json' } });
  return (await answer.json()) as Mail[];
}
