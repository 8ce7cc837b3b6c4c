// Sends one notification: claims it, asks for the address, hands the mail over, saves the outcome.
import { lookUp } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import { mailOf } from './mail.ts';
import { type Notification, noteSent, notificationOf, type SkipReason, skip } from './notification.ts';
import type { Turns } from './turns.ts';

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

export interface DeliverOptions {
  readonly streams: Streams;
  readonly sidecar: Pick<Sidecar, 'invoke' | 'bind'>;
  /** With the patience that a mail server needs; longer than that no claim may end. */
  readonly mailTimeoutSeconds: number;
  /** Name of the SMTP binding. */
  readonly binding: string;
  /** With the mails about accounts: one at a time. */
  readonly turns: Turns;
  /** Names this process. */
  readonly holder: string;
  /** A claim lasts so long; after a crash the mail waits for its end. */
  readonly claimSeconds: number;
}

/** A mailbox as the binding can take it: one, in ASCII, with nothing that could part addresses or end a header. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** The mail server says by an enhanced code (RFC 3463, 5.1.x) that there is no such mailbox; other troubles may pass. */
const NO_SUCH_MAILBOX = /could not send email 1: 5\d\d [\\"]*5\.1\.\d/;

/** For a `Worker`: `pending` means that the mail server, auth or another process has to be waited for. */
export function deliverer(options: DeliverOptions): (id: string) => Promise<'done' | 'pending'> {
  const { streams, sidecar, mailTimeoutSeconds, binding, turns, holder, claimSeconds } = options;
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
    if (!ADDRESS.test(email)) return 'ADDRESS_INVALID';
    const mail = mailOf(subject, content, name ?? '');
    try {
      const timeout = mailTimeoutSeconds * 1_000;
      const address = { emailTo: email, subject: mail.subject };
      await turns.run(() => sidecar.bind(binding, 'create', address, mail.body, { timeout }));
    } catch (error) {
      if (error instanceof Fault && NO_SUCH_MAILBOX.test(error.message)) return 'ADDRESS_REFUSED';
      throw error;
    }
    return 'sent';
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
