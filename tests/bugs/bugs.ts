// Mistakes that somebody could make in good faith, each as a change of a few words, and who has to notice it.

/** Replaces a text that must be there exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

export interface Bug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** A Jest file that has to fail; the simulation unless told. */
  readonly test?: string;
}

const kit = (file: string, find: string, put: string): Patch => ({ file: `services/kit/${file}`, find, put });
const inventory = (file: string, find: string, put: string): Patch => ({
  file: `services/inventory/${file}`,
  find,
  put,
});
const payment = (file: string, find: string, put: string): Patch => ({ file: `services/payment/${file}`, find, put });
const provider = (file: string, find: string, put: string): Patch => ({
  file: `services/payment-provider/${file}`,
  find,
  put,
});

export const bugs: readonly Bug[] = [
  {
    name: 'publish before save',
    patches: [
      kit(
        'events/streams.ts',
        'bytes = await this.sidecar.transact(this.store, all, mostBytes);',
        'await this.publishAll(documents); bytes = await this.sidecar.transact(this.store, all, mostBytes);',
      ),
    ],
  },
  {
    name: 'no cause document',
    patches: [inventory('reactions.ts', "if (desk.state(cause).status !== 'none') return;", '')],
  },
  {
    name: 'release forgotten',
    patches: [inventory('reactions.ts', "return undo(desk, data, 'stock.released', release, reason);", 'return;')],
  },
  { name: 'capture without key', patches: [provider('provider.ts', '{ idempotencyKey: request.paymentId },', '{},')] },
  { name: 'lane not swept', patches: [kit('events/outbox.ts', 'await lane.settle();', '')] },
  {
    name: 'acknowledged before published',
    patches: [kit('events/reactor.ts', '        await done;\n', '        done.catch(() => undefined);\n')],
  },
  {
    name: 'ETag dropped',
    patches: [
      kit('dapr/sidecar.ts', 'const guard = etag === undefined ? {} : { etag };', 'const guard = {};'),
      kit(
        'dapr/sidecar.ts',
        "...guard, options: { concurrency: 'first-write' }, metadata",
        '...guard, options: {}, metadata',
      ),
    ],
    test: 'services/kit/testing/fake-sidecar.test.ts',
  },
  { name: 'refund twice', patches: [provider('provider.ts', '{ idempotencyKey: request.refundId },', '{},')] },
  {
    name: 'everything published again on a duplicate',
    patches: [
      kit(
        'events/reactor.ts',
        'if (caused) await this.#streams.publisher.publish(document, caused.version);',
        `const all = (await this.#streams.cloudEvents(ref.key)) ?? [];
         const partitionKey = document.partitionKey ?? document.id;
         if (caused) await this.#streams.sidecar.publish('pubsub-saga', ref.kind.topic, all.map((event) => ({ event, partitionKey })));`,
      ),
    ],
  },
  {
    name: 'gap ignored',
    patches: [inventory('reactions.ts', 'if (desk.progress(cause) !== undefined) return GAP;', '')],
    test: 'services/inventory/chunks.test.ts',
  },
  {
    name: 'page sealed with an undecided event',
    patches: [
      kit('events/working-set.ts', 'seal(stored, room)', 'seal(document, room)'),
      kit('events/document.ts', 'while (events.length >= 2 * PAGE_SIZE', 'while (events.length >= PAGE_SIZE'),
      // Pages never change, so it looks as if they needed no transaction.
      kit(
        'events/streams.ts',
        'bytes = await this.sidecar.transact(this.store, all, mostBytes);',
        `const isPage = ({ key }: { key: string }) => /:p\\d+$/.test(key);
         for (const page of all.filter(isPage)) {
           await this.sidecar.save(this.store, page.key, (page as { value: unknown }).value, 'new').catch((error) => {
             if (!(error instanceof Conflict)) throw error;
           });
         }
         bytes = await this.sidecar.transact(this.store, all.filter((write) => !isPage(write)), mostBytes);`,
      ),
    ],
  },
  {
    name: 'cancel heard first forgotten',
    patches: [payment('payment.ts', "return [{ type: 'payment.voided', data: { ...due, reason } }];", 'return [];')],
  },
  {
    name: 'chunk not resumed',
    patches: [
      kit(
        'events/streams.ts',
        'if (!done.desk.wantsMore) return { result: done.result, wrote: done.wrote };',
        'return { result: done.result, wrote: done.wrote };',
      ),
    ],
  },
  {
    name: 'open breaker taken for success',
    patches: [
      provider(
        'answers.ts',
        "throw notWhatWasAsked('a payment intent', answer);",
        "return { outcome: 'captured', providerRef: 'unknown', amount: asked.amount ?? 0, currency: asked.currency ?? '' };",
      ),
    ],
  },
  {
    name: 'stale read believed by a reaction',
    patches: [kit('events/reactor.ts', 'if (await this.#set.confirm(refs))', 'if (refs)')],
    test: 'services/order/reactions.test.ts',
  },
  {
    name: 'decided on one reading, confirmed on another',
    patches: [
      kit(
        'events/reactor.ts',
        '(set === this.#set ? this.#confirm(index) : this.#alone(index))',
        'this.#confirm(index || Number(!set))',
      ),
    ],
    test: 'services/order/reactions.test.ts',
  },
  {
    name: 'repeat swallowed by its batch',
    patches: [
      kit(
        'events/reactor.ts',
        'unchanged.push({ index, set: this.#set });',
        'else unchanged.push({ index, set: this.#set });',
      ),
    ],
    test: 'services/inventory/reactions.test.ts',
  },
  {
    name: 'time-out taken for a decline',
    patches: [
      payment(
        'provider.ts',
        'const answer = await askService<Partial<T> | undefined>(sidecar, question);',
        `const none = { outcome: 'declined', code: 'TIMEOUT', detail: 'no answer' } as unknown as Partial<T>;
         const answer = await askService<Partial<T> | undefined>(sidecar, question).catch(() => none);`,
      ),
    ],
  },
  {
    name: 'forgotten before it was fenced off',
    patches: [
      kit('events/lane.ts', 'if (this.#doubtful) return stored;', ''),
      kit('events/outbox.ts', 'const at = lane.doubtful ? this.#free.indexOf(lane) : -1;', 'const at = -1;'),
    ],
    test: 'services/kit/events/lost-answer.test.ts',
  },
  {
    name: 'lane forgets what it named',
    patches: [
      kit(
        'events/lane.ts',
        'const keys = [...rest.filter(({ key }) => !names.has(key)), ...added];',
        'const keys = added;',
      ),
    ],
  },
  {
    name: 'lost answer taken for nothing done',
    patches: [
      kit('events/lane.ts', 'for (const { key, version } of documents) this.#keys.set(key, { version, since });', ''),
    ],
  },
  {
    name: 'ledger without refunds',
    patches: [
      payment('ledger.ts', "if (type === 'payment.refunded') return", "if (type === ('none' as string)) return"),
    ],
  },
  { name: 'one unit oversold', patches: [inventory('item.ts', 'if (missing <= 0)', 'if (missing <= 1)')] },
  {
    name: 'older row wins within a batch',
    patches: [kit('views/table.ts', 'if ((newest.get(row.id)?.version ?? -1) < row.version) newest', 'newest')],
  },
];
