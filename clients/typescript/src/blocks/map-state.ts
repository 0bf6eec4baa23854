import type { MapChange, MapMessage, TransferMessage } from './map-messages.js';

/** Size of the entries of a chunk. A larger entry has a chunk of its own. Unit: bytes. */
const CHUNK_BYTES = 64 * 1024;

/** A view of the map's group, as this member gets it. */
export interface MapView {
  readonly id: string;
  /** All members in the order of the view. */
  readonly members: readonly string[];
  /** The members that moved to this view together with this member. Contains this member. */
  readonly together: readonly string[];
}

/** What a message or a view has caused. */
export interface MapEffects {
  /** Messages to send to the group, in this order. */
  readonly send: readonly TransferMessage[];
  /** This member has the state of the group for the first time. */
  readonly hasSynced: boolean;
  /** The entries before the view, which the state of other members has replaced after a partition. */
  readonly replaced: ReadonlyMap<string, Buffer> | undefined;
}

const NOTHING: MapEffects = { send: [], hasSynced: false, replaced: undefined };

/** The state transfer that won in the present view. */
interface Transfer {
  readonly from: string;
  readonly entries: Map<string, Buffer>;
  chunks: number;
}

/**
 * The state of a replicated map at one member, and the transfer of the state to other members. docs/building-blocks.md
 * describes the protocol. Without I/O: the same views and messages in the same order give the same state.
 */
export class MapState {
  #entries = new Map<string, Buffer>();
  #bytes = 0;
  /** Whether this member has a state. A new member is without one. */
  #isEstablished = false;
  /** The members that have the same state as this one. */
  #class = new Set<string>();
  #view: MapView | undefined;
  /** The entries when the view was installed. */
  #atInstall: ReadonlyMap<string, Buffer> = new Map();
  /** The changes since the view was installed, while the state of this member may be replaced. */
  #log: MapChange[] = [];
  #isSettled = false;
  #transfer: Transfer | undefined;
  /** The members without entries, which wait for the state of others. */
  readonly #needy = new Set<string>();

  /** @param self - the private group of this member */
  constructor(private readonly self: string) {}

  /** Keys and values. The caller must not change them. */
  get entries(): ReadonlyMap<string, Buffer> {
    return this.#entries;
  }

  /** Size of all keys and values. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether this member has a state. */
  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** The next view. */
  view(view: MapView): MapEffects {
    const together = new Set(view.together);
    this.#class = new Set([...this.#class, this.self].filter((member) => together.has(member)));
    this.#view = view;
    this.#transfer = undefined;
    this.#log = [];
    this.#needy.clear();
    this.#isSettled = view.members.every((member) => this.#class.has(member));
    if (this.#isSettled) {
      this.#atInstall = new Map();
      return this.#isEstablished ? NOTHING : this.#establish([]);
    }
    this.#atInstall = new Map(this.#entries);
    // A member without entries has nothing to lose, and must not replace the entries of others.
    if (this.#entries.size === 0) return { ...NOTHING, send: [{ kind: 'need', viewId: view.id }] };
    return this.#isRepresentative ? { ...NOTHING, send: this.#snapshot(view) } : NOTHING;
  }

  /** The next message, also one of this member. */
  message(sender: string, message: MapMessage): MapEffects {
    if (!('viewId' in message)) {
      if (!this.#isSettled) this.#log.push(message);
      if (this.#isEstablished) this.#apply(message);
      return NOTHING;
    }
    const view = this.#view;
    if (view === undefined || message.viewId !== view.id || !view.members.includes(sender)) return NOTHING;
    switch (message.kind) {
      case 'need':
        return this.#onNeed(sender, view);
      case 'begin':
        return this.#onBegin(sender, new Set(message.members));
      case 'chunk':
        return this.#onChunk(sender, message.entries);
      case 'end':
        return this.#onEnd(sender, message.chunks, view);
    }
  }

  /** If no member has entries, the first member of the view begins with the empty map. */
  #onNeed(sender: string, view: MapView): MapEffects {
    this.#needy.add(sender);
    if (this.self !== view.members[0] || !view.members.every((member) => this.#needy.has(member)))
      return NOTHING;
    const send = this.#snapshot(view);
    if (this.#isEstablished) return { ...NOTHING, send };
    for (const change of this.#log) this.#apply(change);
    return this.#establish(send);
  }

  /** The first one in a view wins. */
  #onBegin(sender: string, members: ReadonlySet<string>): MapEffects {
    if (this.#transfer !== undefined || this.#isSettled) return NOTHING;
    this.#transfer = { from: sender, entries: new Map(), chunks: 0 };
    if (!members.has(this.self)) return NOTHING;
    this.#isSettled = true;
    this.#log = [];
    return NOTHING;
  }

  #onChunk(sender: string, entries: readonly (readonly [string, Buffer])[]): MapEffects {
    const transfer = this.#transfer;
    if (transfer?.from !== sender) return NOTHING;
    transfer.chunks += 1;
    if (!this.#isSettled) for (const [key, value] of entries) transfer.entries.set(key, value);
    return NOTHING;
  }

  /** From now on, all members of the view have the same state. */
  #onEnd(sender: string, chunks: number, view: MapView): MapEffects {
    const transfer = this.#transfer;
    if (transfer?.from !== sender || transfer.chunks !== chunks) return NOTHING;
    this.#transfer = undefined;
    this.#class = new Set(view.members);
    if (this.#isSettled) {
      this.#atInstall = new Map();
      return NOTHING;
    }
    const previous = this.#atInstall;
    this.#atInstall = new Map();
    this.#entries = transfer.entries;
    this.#bytes = 0;
    for (const [key, value] of this.#entries) this.#bytes += sizeOf(key, value);
    for (const change of this.#log) this.#apply(change);
    this.#log = [];
    this.#isSettled = true;
    if (!this.#isEstablished) return this.#establish([]);
    return previous.size > 0 ? { ...NOTHING, replaced: previous } : NOTHING;
  }

  #apply(change: MapChange): void {
    if (change.kind === 'clear') {
      this.#entries.clear();
      this.#bytes = 0;
      return;
    }
    const { key } = change;
    const old = this.#entries.get(key);
    if (old !== undefined) this.#bytes -= sizeOf(key, old);
    if (change.kind === 'delete') {
      this.#entries.delete(key);
      return;
    }
    this.#entries.set(key, change.value);
    this.#bytes += sizeOf(key, change.value);
  }

  #establish(send: readonly TransferMessage[]): MapEffects {
    this.#isEstablished = true;
    return { send, hasSynced: true, replaced: undefined };
  }

  /** Whether this member is the first one of its class in the view. */
  get #isRepresentative(): boolean {
    return this.#isEstablished && this.#view?.members.find((member) => this.#class.has(member)) === this.self;
  }

  /** The messages that transfer the state in which this view was installed. */
  #snapshot({ id: viewId, members }: MapView): TransferMessage[] {
    const own = members.filter((member) => this.#class.has(member));
    const messages: TransferMessage[] = [{ kind: 'begin', viewId, members: own }];
    let entries: [string, Buffer][] = [];
    let bytes = 0;
    const finishChunk = () => {
      if (entries.length > 0) messages.push({ kind: 'chunk', viewId, entries });
      entries = [];
      bytes = 0;
    };
    for (const [key, value] of this.#atInstall) {
      const size = sizeOf(key, value);
      if (bytes + size > CHUNK_BYTES) finishChunk();
      entries.push([key, value]);
      bytes += size;
    }
    finishChunk();
    messages.push({ kind: 'end', viewId, chunks: messages.length - 1 });
    return messages;
  }
}

/** Size of an entry. Unit: bytes. */
export function sizeOf(key: string, value: Buffer): number {
  return Buffer.byteLength(key) + value.length;
}
