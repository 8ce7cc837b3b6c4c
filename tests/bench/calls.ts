// What went through the sidecars, from their own counters: the proof that the chain has the shape of the system.
import type { Mesh } from '../../stack/mesh.ts';

/** Counts by what was done. */
export type Calls = ReadonlyMap<string, number>;

const COUNTED: readonly (readonly [metric: string, name: (labels: Record<string, string>) => string])[] = [
  ['dapr_runtime_service_invocation_req_sent_total', ({ dst_app_id }) => `call to ${dst_app_id}`],
  ['dapr_component_state_count', ({ operation, app_id }) => `${operation} by ${app_id}`],
  ['dapr_component_pubsub_egress_bulk_count', ({ topic }) => `publish on ${topic}`],
  ['dapr_component_output_binding_count', ({ operation, app_id }) => `${operation} by ${app_id}`],
  // Everything that reached an app: calls of others and batches of messages.
  ['dapr_http_client_completed_count', ({ app_id }) => `into app ${app_id}`],
];

/** The counters of every sidecar as they stand. */
export async function readCalls(mesh: Mesh): Promise<Calls> {
  const texts = await Promise.all(
    Object.values(mesh.ports.apps).map(async ({ metrics }) =>
      (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text(),
    ),
  );
  const calls = new Map<string, number>();
  for (const line of texts.join('\n').split('\n')) {
    const [, metric, labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const name = COUNTED.find(([counted]) => counted === metric)?.[1];
    if (!name) continue;
    const parsed = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    const key = name(parsed as Record<string, string>);
    calls.set(key, (calls.get(key) ?? 0) + Number(value));
  }
  return calls;
}

export function callsBetween(before: Calls, after: Calls): Calls {
  return new Map(
    [...after].map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const).filter(([, count]) => count > 0),
  );
}
