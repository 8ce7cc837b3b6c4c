// Settings beside the common ones.
import { z } from 'zod';

export const Config = z.object({
  /** Milliseconds that the adapter may take for one answer of the provider. */
  PROVIDER_TIMEOUT_MS: z.coerce.number().int().min(100).default(5_000),
});
