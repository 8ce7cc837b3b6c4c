// What auditors are told of goods that came back.
import { eventsOf } from '#kit/events/history';
import type { Streams } from '#kit/events/streams';
import { type Api, api } from '#kit/http/api';
import { isUuid } from '#kit/ids';
import { returnOf } from './return.ts';

/** `/reservations/{orderId}/returns/{returnId}/events`: the booking of a return, beside what its order held. */
export function returnRoutes(streams: Streams): Api {
  const told = eventsOf(streams, {
    stream: ({ returnId }: { orderId: string; returnId: string }) =>
      isUuid(returnId) ? returnOf(returnId) : undefined,
    shopOf: ({ shopId }) => shopId,
  });
  return api('/reservations', { tag: 'inventory' }).get('/:orderId/returns/:returnId/events', ...told);
}
