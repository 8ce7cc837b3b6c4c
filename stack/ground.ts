// What a mesh stands on: found in what its components ask for, so that another component set starts other processes.
import { parse } from 'yaml';
import { type Provider, providers, providersIn } from './bootstrap/tools-folder.mjs';
import { StackError } from './errors.ts';
import { type Resource, scopedTo } from './render.ts';
import type { Deployable } from './services.ts';

/** The processes that a service's sidecar needs, in the order in which `providers` names them. */
export function standsOn(service: Deployable, resources: readonly Resource[]): Provider[] {
  const asked = new Set(scopedTo(resources, service.appId).flatMap(({ text }) => providersIn(text)));
  if (service.databases.length > 0) asked.add('postgres');
  return Object.values(providers).filter((provider) => asked.has(provider));
}

/**
 * The processes that these services need.
 * @throws StackError when their components name two brokers: a topic would be in two places.
 */
export function groundOf(selected: readonly Deployable[], resources: readonly Resource[]): ReadonlySet<Provider> {
  const ground = new Set(selected.flatMap((service) => standsOn(service, resources)));
  if (ground.has('kfake') && ground.has('kafka')) {
    throw new StackError(
      'The components of this profile name two brokers.',
      'Use either the placeholder BROKER_PORT or KAFKA_PORT in all pubsub components.',
    );
  }
  return ground;
}

/** Tables that the DynamoDB components of these services name. */
export function tablesOf(selected: readonly Deployable[], resources: readonly Resource[]): string[] {
  const own = new Set(selected.flatMap(({ appId }) => scopedTo(resources, appId)));
  return [...own].flatMap(({ text }) => {
    const { spec } = parse(text) as { spec: { type?: string; metadata?: { name: string; value?: string }[] } };
    if (spec.type !== 'state.aws.dynamodb') return [];
    return spec.metadata?.find(({ name }) => name === 'table')?.value ?? [];
  });
}
