// Handing one mail to one mailbox through the SMTP binding.
import type { Sidecar } from '#kit/dapr/sidecar';
import { MAILBOX } from '#kit/email';
import { Fault } from '#kit/errors';
import type { Turns } from './turns.ts';

/** The mail server says by an enhanced code (RFC 3463, 5.1.x) that there is no such mailbox; other troubles may pass. */
const NO_SUCH_MAILBOX = /could not send email 1: 5\d\d [\\"]*5\.1\.\d/;

export interface Post {
  readonly sidecar: Pick<Sidecar, 'bind'>;
  /** Name of the SMTP binding. */
  readonly binding: string;
  /** Of all that send: one mail at a time. */
  readonly turns: Turns;
  readonly mailTimeoutSeconds: number;
}

/**
 * Gives the mail to the mail server. Invalid and refused: there is no such mailbox, nor will there be by trying again.
 * @throws {Fault} no answer, or another trouble that may pass
 */
export async function post(
  { sidecar, binding, turns, mailTimeoutSeconds }: Post,
  mail: { readonly to: string; readonly subject: string; readonly body: string },
): Promise<'sent' | 'ADDRESS_INVALID' | 'ADDRESS_REFUSED'> {
  if (!MAILBOX.test(mail.to)) return 'ADDRESS_INVALID';
  const options = { timeout: mailTimeoutSeconds * 1_000 };
  try {
    await turns.run(() =>
      sidecar.bind(binding, 'create', { emailTo: mail.to, subject: mail.subject }, mail.body, options),
    );
  } catch (error) {
    if (error instanceof Fault && NO_SUCH_MAILBOX.test(error.message)) return 'ADDRESS_REFUSED';
    throw error;
  }
  return 'sent';
}
