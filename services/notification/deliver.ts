// Sends one notification: claims it, asks for the address, hands the mail over, saves the outcome.
import { lookUp } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import type { Origin } from '#kit/events/aggregate';
import type { StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import { mailOf } from './mail.ts';
import { type Post, post } from './mailbox.ts';
import { type Notification, noteSent, notificationOf, type SkipReason, skip } from './notification.ts';

/** What is read of auth's answer. */
interface Account {
  readonly email: string;
  readonly name?: string;
}

/** Who is at work on a notification, until when: kept in its document, so that no two replicas send it. */
interface Claim {
  readonly by: string;
  readonly until: string;
}

export interface DeliverOptions extends Post {
  readonly streams: Streams;
  readonly sidecar: Pick<Sidecar, 'invoke' | 'bind'>;
  /** Names this process. */
  readonly holder: string;
  /** A claim lasts so long; after a crash the mail waits for its end. */
  readonly claimSeconds: number;
}

/** For a `Worker`: `pending` means that the mail server, auth or another process has to be waited for. */
export function deliverer(options: DeliverOptions): (id: string) => Promise<'done' | 'pending'> {
  const { streams, sidecar, holder, claimSeconds } = options;
  /** Taken by the mail server, not saved yet: whatever the store does, it is not sent again by this process. */
  const handedOver = new Set<string>();

  async function claim(id: string, origin: Origin): Promise<Notification | undefined> {
    const ref = notificationOf(id);
    return streams.execute({
      touch: [ref],
      origin,
      decide(desk) {
        const state = desk.state(ref);
        if (state.status !== 'requested') return state;
        const held = desk.progress<Claim>(ref);
        if (held && held.by !== holder && held.until > desk.now) return undefined;
        const until = (seconds: number) => new Date(Date.parse(desk.now) + seconds * 1_000).toISOString();
        // Half a claim is enough for one try, and most repeats need no save.
        const lasts = held?.by === holder && held.until > until(claimSeconds / 2);
        if (!lasts) desk.setProgress(ref, { by: holder, until: until(claimSeconds) } satisfies Claim);
        return state;
      },
    });
  }

  async function save(id: string, origin: Origin, outcome: 'sent' | SkipReason): Promise<void> {
    const ref = notificationOf(id);
    await streams.execute({
      touch: [ref],
      origin,
      decide(desk) {
        if (desk.state(ref).status !== 'requested') return;
        desk.setProgress(ref, undefined);
        if (outcome === 'sent') desk.apply(ref, noteSent, undefined);
        else desk.apply(ref, skip, outcome);
      },
    });
  }

  async function send(notification: Notification & { status: 'requested' }): Promise<'sent' | SkipReason> {
    const { subject, content } = notification;
    const path = `/internal/accounts/${encodeURIComponent(subject.accountId)}`;
    const account = await lookUp<Account>(sidecar, { to: 'auth', method: 'GET', path, timeout: 2_000 });
    if (!account) return 'NO_ACCOUNT';
    const { email, name } = account;
    return post(options, { to: email, ...mailOf(subject, content, name ?? '') });
  }

  return async (id) => {
    const document = await streams.read(notificationOf(id));
    if (!document || document.state.status !== 'requested') return 'done';
    const origin = originOf(document, streams.source);
    if (!handedOver.has(id)) {
      const notification = await claim(id, origin);
      if (!notification) return 'pending';
      if (notification.status !== 'requested') return 'done';
      const outcome = await send(notification);
      if (outcome !== 'sent') {
        await save(id, origin, outcome);
        return 'done';
      }
      handedOver.add(id);
    }
    await save(id, origin, 'sent');
    handedOver.delete(id);
    return 'done';
  };
}

/** The outcome follows from the request, whichever process found it. */
function originOf({ events }: StreamDocument, appId: string): Origin {
  const request = events[0];
  return {
    actor: `app:${appId}`,
    correlationId: request?.correlationId ?? '',
    causationId: request?.id ?? '',
    traceparent: request?.traceparent ?? '',
  };
}
