// What every acceptance suite is given: the gateway as each demo identity, and the provider's control side.
import type { Gateway } from '../client/gateway.ts';
import type { ProviderControl } from '../simulators/card-provider/control-client.ts';

/** The mesh from outside. Filled in before the first test runs. */
export interface World {
  /** Without a token. */
  readonly anybody: Gateway;
  readonly admin: Gateway;
  readonly manager: Gateway;
  readonly cashier: Gateway;
  readonly customer: Gateway;
  /** The till of a demo shop, as OAuth client. */
  till(shopId: string): Gateway;
  readonly secrets: Readonly<Record<string, string>>;
  /** Of the card provider simulator. */
  readonly provider: ProviderControl;
  /** All mails that were sent so far. */
  inbox(): Promise<readonly Mail[]>;
  /** Seconds after which an order without a decision is cancelled; the runner was told so. */
  readonly deadlineSeconds: number;
}

/** A mail as the sink keeps it. */
export interface Mail {
  readonly to: readonly { readonly address: string }[];
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
}

/** The first demo shop: manager and cashier belong to it. */
export const SHOP = 'shop-343';
/** Another one. */
export const OTHER_SHOP = 'shop-361';
export const WEB = 'web';
