// Messages as our services publish them, made by a test.
import { idOf } from '#kit/ids';

export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** The CloudEvent of version `version` of a stream of `source`. */
export function cloudEvent(
  stream: string,
  version: number,
  type: string,
  payload: unknown,
  source = 'owner',
): Record<string, unknown> & { id: string } {
  return {
    specversion: '1.0',
    id: idOf(stream, String(version)),
    type: `retail.${type}.v1`,
    source,
    subject: stream,
    datacontenttype: 'application/json',
    traceparent: TRACEPARENT,
    traceid: TRACEPARENT,
    data: {
      stream,
      version,
      at: '2026-01-01T00:00:00.000Z',
      actor: 'test',
      correlationId: 'c',
      causationId: 'x',
      payload,
    },
  };
}
