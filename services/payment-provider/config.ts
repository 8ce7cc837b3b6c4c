// Settings beside the common ones. The secrets come from the sidecar's secret store.
import { z } from 'zod';

export const Config = z.object({
  /**
   * Milliseconds for one call of the provider. A capture may need two calls, and payment's sidecar waits 10 s
   * (dapr/resiliency/payment.yaml).
   */
  PROVIDER_TIMEOUT_MS: z.coerce.number().int().min(100).max(5_000).default(3_000),
});
