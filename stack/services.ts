// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the runner fills these in, as it does in the resource files
// The one table of what the system consists of. Processes, ports, sidecar folders, readiness, Tilt and the docs come from here.

import { demoShops } from './secrets.ts';

export interface Deployable {
  /** Folder, Dapr app-id, Kubernetes Deployment and trace name in one. */
  readonly appId: string;
  /** The file that Node runs, relative to the repository; null: the caller (a test) listens on the app port itself. */
  readonly entry: string | null;
  readonly protocol: 'http' | 'grpc';
  /** Dapr components in its scope, as `components/<profile>` declares them (a test holds the two together). */
  readonly components: readonly string[];
  readonly resiliency: readonly string[];
  readonly httpEndpoints: readonly string[];
  /** PostgreSQL databases; each has a role of the same name that owns it. */
  readonly databases: readonly string[];
  /** Keys of secrets.json that its sidecar may read, besides those its components refer to. `till-*` takes all with that beginning. */
  readonly secrets: readonly string[];
  /** Settings of its own; `${NAME}` is filled in (see `values.ts`). Secrets are asked of the sidecar instead. */
  readonly env: Readonly<Record<string, string>>;
  /** Path that answers 200 once it can work. */
  readonly readyPath: string;
}

type Row = Partial<Omit<Deployable, 'appId'>>;

/** A row of the table with the usual answers filled in; tests use it for their fixtures. */
export function deployable(appId: string, row: Row = {}): Deployable {
  return {
    appId,
    entry: `services/${appId}/main.ts`,
    protocol: 'http',
    components: [],
    resiliency: [],
    httpEndpoints: [],
    databases: [],
    secrets: [],
    env: {},
    readyPath: '/readyz',
    ...row,
  };
}

/** A service with documents, a list view and both of the usual subscriptions. */
const streams = (appId: string) => [
  `statestore-${appId}`,
  `views-${appId}`,
  'pubsub-saga',
  'pubsub-views',
  'secretstore',
];
const views = (appId: string): string => `views_${appId}`;

/** Order matters: it fixes the port blocks. Append, never insert. */
export const services: readonly Deployable[] = [
  deployable('gateway', {
    resiliency: ['gateway'],
    env: { READY_AFTER_FILE: '${RUN}/seeded' },
    readyPath: '/healthz', // its /readyz waits for the demo data, which comes in through it
  }),
  deployable('auth', {
    components: ['statestore-auth', 'pubsub-saga', 'secretstore'],
    resiliency: ['auth'],
    secrets: ['auth-key-encryption', 'demo-password', 'till-*'],
    env: { DEMO: 'true', DEMO_SHOPS: demoShops.join(',') }, // this runner makes demos: no other deployment sets it
  }),
  deployable('product', {
    components: ['cache', ...streams('product')],
    resiliency: ['pubsub', 'services'],
    databases: [views('product')],
  }),
  deployable('inventory', {
    components: streams('inventory'),
    resiliency: ['pubsub', 'services'],
    databases: [views('inventory')],
  }),
  deployable('order', {
    components: streams('order'),
    resiliency: ['order', 'pubsub'],
    databases: [views('order')],
  }),
  deployable('payment', {
    components: streams('payment'),
    resiliency: ['payment', 'pubsub'],
    databases: ['payment', views('payment')],
  }),
  deployable('payment-provider', {
    components: ['pubsub-saga', 'secretstore'],
    resiliency: ['payment-provider', 'pubsub'],
    httpEndpoints: ['card-provider'],
    secrets: ['provider-api-key', 'provider-webhook-secret'],
  }),
  deployable('shop', {
    components: ['statestore-shop', 'pubsub-saga'],
    resiliency: ['pubsub', 'services'],
  }),
  deployable('notification', {
    components: ['mail', 'pubsub-effects', ...streams('notification')],
    resiliency: ['pubsub', 'services'],
    databases: [views('notification')],
  }),
  deployable('report', {
    components: ['statestore-report', 'pubsub-dead', 'pubsub-views', 'secretstore', 'views-report'],
    resiliency: ['pubsub', 'services'],
    databases: ['report'],
  }),
];

/** What runs for a while beside a mesh, when a tool wants it. */
export const relistener = deployable('report-relisten', {
  entry: 'services/report/relisten-main.ts',
  components: ['pubsub-relisten', 'secretstore', 'views-report'],
  resiliency: ['pubsub', 'services'],
});

/** The rows of `only`, in the table's order; all of them when it is empty. */
export function selectServices(table: readonly Deployable[], only: readonly string[]): readonly Deployable[] {
  if (only.length === 0) return table;
  return table.filter(({ appId }) => only.includes(appId));
}
