import { status } from '@grpc/grpc-js';
import { abortError, type CallLimits, checkTimeout, timeoutError } from '../call.js';
import { AGREED_MESS } from '../constants.js';
import type { Mailbox } from '../mailbox.js';
import type { SpreadEvent, ViewMessage } from '../messages.js';
import type { Payload } from '../outgoing.js';
import type { Sender } from '../sender.js';
import type { MailboxOptions, SpreadSidecar } from '../sidecar.js';
import { disconnectedError, fieldError, SIDECAR_DOMAIN, SpreadError } from '../spread-error.js';
import { decodeMapMessage, encodeMapMessage, type MapChange, type MapMessage } from './map-messages.js';
import { type MapEffects, MapState, sizeOf } from './map-state.js';

const MAX_KEY_BYTES = 1024;
const MAX_VALUE_BYTES = 128 * 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Options of {@link openReplicatedMap}. */
export interface ReplicatedMapOptions
  extends Omit<MailboxOptions, 'membership' | 'reconnect' | 'autoReceive' | 'manualAcknowledgement'> {
  /** `set` fails if all keys and values together would exceed this size. Unit: bytes. Default: 64 MiB. */
  maxBytes?: number;
  /** Called for each change that this member has applied. It must not throw. */
  onChange?: (change: { kind: MapChange['kind']; key?: string; value?: Buffer; sender: string }) => void;
  /**
   * Called after a partition with the entries that this member had before, if the entries of other members have
   * replaced them. It must not throw.
   */
  onReplaced?: (entries: ReadonlyMap<string, Buffer>) => void;
}

/**
 * Joins the group of a replicated map, and waits until this member has the state of the group.
 *
 * @example
 * ```ts
 * const map = await openReplicatedMap(sidecar, 'settings');
 * await map.set('colour', 'green');
 * console.log(map.get('colour')?.toString());
 * ```
 */
export async function openReplicatedMap(
  sidecar: SpreadSidecar,
  group: string,
  options: ReplicatedMapOptions & CallLimits = {},
): Promise<ReplicatedMap> {
  const { onChange, onReplaced, maxBytes, ...rest } = options;
  const mailbox = await sidecar.connect({ endWithConnection: true, ...rest, membership: true });
  const map = new ReplicatedMap(mailbox, group, { onChange, onReplaced, maxBytes });
  try {
    await mailbox.join(group, { signal: options.signal, timeoutMs: options.timeoutMs });
    await map.synced(options);
    return map;
  } catch (error) {
    await map.close().catch(() => {});
    throw error;
  }
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A map with text keys and byte values that is the same at all members of a group. docs/building-blocks.md describes its
 * guarantees. Only members of the map may be in the group.
 */
export class ReplicatedMap {
  readonly #mailbox: Mailbox;
  readonly #state: MapState;
  readonly #sender: Sender;
  readonly #options: Pick<ReplicatedMapOptions, 'onChange' | 'onReplaced' | 'maxBytes'>;
  readonly #changes = new Map<number, Waiting>();
  readonly #syncing = new Set<Waiting>();
  #counter = 0;
  #end: SpreadError | undefined;
  readonly #loop: Promise<void>;

  /** Use {@link openReplicatedMap} instead of this constructor. */
  constructor(
    mailbox: Mailbox,
    readonly group: string,
    options: Pick<ReplicatedMapOptions, 'onChange' | 'onReplaced' | 'maxBytes'> = {},
  ) {
    this.#mailbox = mailbox;
    this.#options = options;
    this.#state = new MapState(mailbox.privateGroup);
    const onRefused = ({ error }: { error: SpreadError }) => this.#endWith(error);
    this.#sender = mailbox.sender({ onRefused });
    this.#loop = this.#receive();
  }

  /** Number of entries. */
  get size(): number {
    return this.#state.entries.size;
  }

  /** The value of this member, or undefined. The caller must not change its bytes. */
  get(key: string): Buffer | undefined {
    return this.#state.entries.get(key);
  }

  has(key: string): boolean {
    return this.#state.entries.has(key);
  }

  /** The entries of this member. */
  entries(): IterableIterator<[string, Buffer]> {
    return (this.#state.entries as Map<string, Buffer>).entries();
  }

  [Symbol.iterator](): IterableIterator<[string, Buffer]> {
    return this.entries();
  }

  /** Resolves when this member has the state of the group. */
  async synced(limits: CallLimits = {}): Promise<void> {
    checkTimeout(limits.timeoutMs);
    if (this.#end) throw this.#end;
    if (!this.#state.isEstablished)
      await this.#wait(limits, 'the state of the group', (waiting) => {
        this.#syncing.add(waiting);
        return () => this.#syncing.delete(waiting);
      });
  }

  /**
   * Sets a value. Resolves when this member has applied the change.
   *
   * @param key - at most 1,024 bytes in UTF-8
   * @param value - at most 128 KiB
   * @throws {@link SpreadError}. The outcome `unknown` means that the change may still be applied
   */
  async set(key: string, value: Payload, limits: CallLimits = {}): Promise<void> {
    const bytes = Buffer.from(value as Uint8Array);
    checkSize('key', Buffer.byteLength(key), MAX_KEY_BYTES);
    checkSize('value', bytes.length, MAX_VALUE_BYTES);
    const { maxBytes = DEFAULT_MAX_BYTES } = this.#options;
    const old = this.#state.entries.get(key);
    const growth = old === undefined ? sizeOf(key, bytes) : bytes.length - old.length;
    if (growth > 0 && this.#state.bytes + growth > maxBytes) throw tooLarge(maxBytes);
    await this.#change((id) => ({ kind: 'set', id, key, value: bytes }), limits);
  }

  /** Deletes an entry. Resolves when this member has applied the change. */
  async delete(key: string, limits: CallLimits = {}): Promise<void> {
    checkSize('key', Buffer.byteLength(key), MAX_KEY_BYTES);
    await this.#change((id) => ({ kind: 'delete', id, key }), limits);
  }

  /** Deletes all entries. Resolves when this member has applied the change. */
  async clear(limits: CallLimits = {}): Promise<void> {
    await this.#change((id) => ({ kind: 'clear', id }), limits);
  }

  /** Leaves the group. The entries of this object stay readable. */
  async close(limits: CallLimits = {}): Promise<void> {
    this.#endWith(disconnectedError());
    await this.#mailbox.disconnect(limits);
    await this.#loop;
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #change(make: (id: number) => MapChange, limits: CallLimits): Promise<void> {
    checkTimeout(limits.timeoutMs);
    await this.synced(limits);
    this.#counter = (this.#counter + 1) >>> 0;
    const id = this.#counter;
    await this.#wait(limits, 'the change', (waiting) => {
      this.#changes.set(id, waiting);
      this.#send(make(id));
      return () => this.#changes.delete(id);
    });
  }

  async #receive(): Promise<void> {
    try {
      for (;;) for (const event of await this.#mailbox.receiveMany()) this.#onReceived(event);
    } catch (error) {
      this.#endWith(error as SpreadError);
    }
  }

  #onReceived(event: SpreadEvent): void {
    if (event.kind === 'view' && event.group === this.group) {
      const { members, groupId } = event;
      this.#onEffects(this.#state.view({ id: String(groupId), members, together: membersThatMoved(event) }));
    } else if (event.kind === 'regular') {
      const message = decodeMapMessage(event.payload);
      if (message !== undefined) this.#onMessage(event.sender, message);
    } else if (event.kind === 'rejected') {
      this.#endWith(
        new SpreadError(`the daemon's access policy rejects the group ${this.group}`, {
          status: status.PERMISSION_DENIED,
        }),
      );
    }
  }

  #onMessage(sender: string, message: MapMessage): void {
    this.#onEffects(this.#state.message(sender, message));
    if ('viewId' in message) return;
    if (sender === this.#mailbox.privateGroup) {
      this.#changes.get(message.id)?.resolve();
      this.#changes.delete(message.id);
    }
    if (!this.#state.isEstablished) return;
    const { kind } = message;
    const key = kind === 'clear' ? undefined : message.key;
    const value = kind === 'set' ? message.value : undefined;
    this.#options.onChange?.({ kind, key, value, sender });
  }

  #onEffects({ send, hasSynced, replaced }: MapEffects): void {
    for (const message of send) this.#send(message);
    if (hasSynced) {
      for (const { resolve } of this.#syncing) resolve();
      this.#syncing.clear();
    }
    if (replaced) this.#options.onReplaced?.(replaced);
  }

  #send(message: MapMessage): void {
    // A member that cannot send must not stay in the group, because others would wait for its state.
    this.#sender.send(AGREED_MESS, this.group, encodeMapMessage(message)).catch((error) => {
      if (this.#end) return;
      this.#endWith(error as SpreadError);
      this.#mailbox.disconnect().catch(() => {});
    });
  }

  #wait(
    { signal, timeoutMs }: CallLimits,
    what: string,
    begin: (waiting: Waiting) => () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw abortError(signal, `aborted before waiting for ${what}`);
      const finish = (settle: () => void) => () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        forget();
        settle();
      };
      const onAbort = () =>
        finish(() => reject(abortError(signal as AbortSignal, `aborted while waiting for ${what}`)))();
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(
              finish(() => reject(timeoutError(`${what} did not arrive within ${timeoutMs} ms`))),
              timeoutMs,
            );
      signal?.addEventListener('abort', onAbort, { once: true });
      const forget = begin({
        resolve: () => finish(resolve)(),
        reject: (error) => finish(() => reject(error))(),
      });
    });
  }

  #endWith(error: SpreadError): void {
    if (this.#end) return;
    this.#end = error;
    for (const { reject } of [...this.#syncing, ...this.#changes.values()]) reject(error);
  }
}

/** The members that moved to this view together with the receiver. */
function membersThatMoved(view: ViewMessage): readonly string[] {
  const own = view.members[view.ownIndex];
  if (own === undefined) return [];
  if (view.cause === 'NETWORK') return view.sets.find(({ mine }) => mine)?.members ?? [own];
  if (view.cause !== 'JOIN') return view.members;
  return view.changedMembers.includes(own)
    ? [own]
    : view.members.filter((member) => !view.changedMembers.includes(member));
}

function checkSize(field: string, bytes: number, most: number): void {
  if (bytes > most) throw fieldError(field, `at most ${most} bytes`, `${bytes} bytes`);
}

const tooLarge = (maxBytes: number) =>
  new SpreadError(`the map would exceed maxBytes (${maxBytes} bytes)`, {
    status: status.RESOURCE_EXHAUSTED,
    reason: 'FIELD_INVALID',
    domain: SIDECAR_DOMAIN,
    metadata: { field: 'value', bound: `${maxBytes} bytes in all entries` },
    outcome: 'not-sent',
  });
