// A provider event as the CloudEvent that the topic `provider-events` carries.
import { idOf } from '#kit/ids';
import type { ProviderEvent } from './webhooks.ts';

/**
 * The same webhook, doubled or repeated, gives the same message with the same id, so that a reader knows it again.
 * Each event is a stream of its own with one version: nothing can be missing before it.
 */
export function providerEventMessage(event: ProviderEvent, source: string, correlationId: string, traceparent: string) {
  const stream = `provider-event:${event.providerEventId}`;
  return {
    specversion: '1.0',
    id: idOf(stream, '1'),
    type: 'retail.provider.event.v1',
    source,
    subject: event.paymentId,
    time: event.occurredAt,
    datacontenttype: 'application/json',
    // daprd replaces `traceparent` of a finished CloudEvent unless `traceid` is there too (tests/conformance/deliveries.test.ts).
    traceparent,
    traceid: traceparent,
    data: {
      stream,
      version: 1,
      at: event.occurredAt,
      actor: 'provider',
      correlationId,
      causationId: event.providerEventId,
      schemaVersion: 1,
      payload: event,
    },
  };
}
