// Every view of the log. A new one begins at the first event: docs/guides/add-a-view.md.
import { auditView } from './audit-view.ts';
import type { ViewDefinition } from './folding.ts';
import { ledgerView, paymentsView } from './payments-view.ts';
import { sagaView } from './saga-view.ts';
import { salesView } from './sales-view.ts';
import { movementsView, stockView } from './stock-view.ts';

export const views: readonly ViewDefinition[] = [
  salesView,
  auditView,
  sagaView,
  paymentsView,
  ledgerView,
  stockView,
  movementsView,
];
