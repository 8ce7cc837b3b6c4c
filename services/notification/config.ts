// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** The output binding that takes mails; the sender's address is part of it. */
  MAIL_BINDING: z.string().min(1).default('mail'),
  /** Seconds that a mail server may take for one mail; a service has ten to leave. */
  MAIL_TIMEOUT_SECONDS: z.coerce.number().min(1).max(60).default(8),
});
