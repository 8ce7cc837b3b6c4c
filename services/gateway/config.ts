// Settings of the gateway beside those of every service.
import { z } from 'zod';
import { Words } from '#kit/config';

export const GatewayConfig = z.object({
  /** `/readyz` also waits for this file: the runner writes it once the demo data is in. */
  READY_AFTER_FILE: z.string().optional(),
  /** Origins whose browsers may call, comma separated. */
  CORS_ORIGINS: Words.default([]),
});
