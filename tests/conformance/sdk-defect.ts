// Defects of @dapr/dapr as tests: why the kit has a client and an adaptor of its own (docs/decisions).
import { createRequire } from 'node:module';
import { test } from '@jest/globals';

/** The version whose defects are written down here. */
const KNOWN = '3.18.0';

const { version } = createRequire(import.meta.url)('@dapr/dapr/package.json') as { version: string };

/**
 * Shows that the SDK still has a defect. With the version we know it must; with a later one the test cannot fail, but
 * says so when the defect is gone: then the SDK may take the place of what we wrote.
 */
export function sdkDefect(name: string, show: () => Promise<void>): void {
  test(`@dapr/dapr ${version}: ${name}`, async () => {
    if (version === KNOWN) return show();
    try {
      await show();
    } catch {
      console.warn(`@dapr/dapr ${version} seems to be mended: it was "${name}" in ${KNOWN}`);
    }
  });
}
