import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Service types by name, as in the contract. */
export type Service = 'UNRELIABLE' | 'RELIABLE' | 'FIFO' | 'CAUSAL' | 'AGREED' | 'SAFE';

/** A failure that an application receives. */
export interface Failure {
  /** Name of the gRPC status. */
  readonly status: string;
  /** The contract's reason; empty for a failure of the transport. */
  readonly reason: string;
  readonly message: string;
  /** For an end: the sequence of the last event of the mailbox. */
  readonly lastSequence?: number;
}

/** An event that a member received. */
export type Seen =
  | {
      readonly is: 'message';
      /** Undefined if no workload sent it. */
      readonly id: string | undefined;
      readonly sender: string;
      readonly groups: readonly string[];
      readonly service: Service;
      readonly selfDiscard: boolean;
      /** Size of the payload in bytes, and its checksum. */
      readonly bytes: number;
      readonly sum: number;
    }
  | {
      readonly is: 'view';
      readonly group: string;
      readonly id: string;
      readonly cause: string;
      readonly members: readonly string[];
      readonly changed: readonly string[];
      /** Index of the receiver in `members`. */
      readonly own: number;
      /** For a NETWORK view: the virtual synchrony sets, and the index of the receiver's own set. */
      readonly sets?: readonly (readonly string[])[];
      readonly ownSet?: number;
    }
  | { readonly is: 'transitional'; readonly group: string; readonly id: string }
  | { readonly is: 'selfLeave'; readonly group: string }
  | { readonly is: 'rejected' }
  | { readonly is: 'lost'; readonly groups: readonly string[] }
  | { readonly is: 'restored'; readonly privateGroup: string; readonly groups: readonly string[] };

export type SeenMessage = Extract<Seen, { is: 'message' }>;
export type SeenView = Extract<Seen, { is: 'view' }>;

/** The content of a sent message. */
export interface Sent {
  /** The mailbox that sent it. */
  readonly box: string;
  readonly id: string;
  /** The number of its stream. Undefined for a unary call. */
  readonly stream?: number;
  readonly service: Service;
  readonly groups: readonly string[];
  readonly selfDiscard: boolean;
  readonly bytes: number;
  readonly sum: number;
  /** The reason with which it must be rejected. */
  readonly refusal?: string;
}

/** `ok`: passed to the daemon. `refused`: certainly not. `unknown`: either of them. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** How an application ended a mailbox. */
export type Goodbye = 'clean' | 'leave-first' | 'abort' | 'abandon';

/**
 * A line of a history. `box` names a mailbox. `reader` is a client object that received from it, one after
 * the other. `link` is the target of a fault: `app:n` or `daemon:n`, the two sides of the sidecar of
 * application n, or a process, or the network between the daemons.
 */
export type Entry =
  | { readonly kind: 'round'; readonly seed: string; readonly groups: readonly string[] }
  /**
   * A session at a daemon itself, which only the end of the daemon affects. It is in no group yet. Each
   * daemon has one at a time.
   */
  | { readonly kind: 'observer'; readonly number: number; readonly privateGroup: string }
  /** Its daemon was killed. It may miss the last events that the daemon sent to others. */
  | { readonly kind: 'observerLost'; readonly number: number }
  | {
      readonly kind: 'connected';
      readonly box: string;
      readonly app: number;
      readonly privateGroup: string;
      readonly acknowledgement: 'AUTO' | 'EXPLICIT';
    }
  /** A stream is attached, and its next event must be `next`. */
  | { readonly kind: 'attached'; readonly box: string; readonly reader: number; readonly next: number }
  | {
      readonly kind: 'event';
      readonly box: string;
      readonly reader: number;
      readonly sequence: number;
      readonly event: Seen;
    }
  /** The end. Without a failure if the application requested it. */
  | { readonly kind: 'ended'; readonly box: string; readonly reader: number; readonly failure?: Failure }
  | { readonly kind: 'goodbye'; readonly box: string; readonly how: Goodbye }
  | { readonly kind: 'asked'; readonly box: string; readonly what: 'join' | 'leave'; readonly group: string }
  | ({ readonly kind: 'send' } & Sent)
  | {
      readonly kind: 'sent';
      readonly box: string;
      readonly id: string;
      readonly outcome: Outcome;
      readonly failure?: Failure;
    }
  /** A call other than a send failed. */
  | {
      readonly kind: 'failed';
      readonly box: string;
      readonly app: number;
      readonly call: string;
      readonly failure: Failure;
    }
  /** The observer with this number received an event. */
  | { readonly kind: 'observed'; readonly by: number; readonly event: Seen }
  | {
      readonly kind: 'fault';
      readonly link: string;
      readonly fault: string;
      readonly detail: string;
      /** Further affected links. */
      readonly affects?: readonly string[];
      /** Time between the start of the fault and the entry, if it was noticed late. Unit: ms. Default: 0. */
      readonly noticedAfterMs?: number;
    }
  | { readonly kind: 'healed'; readonly link: string; readonly fault: string }
  /** After the end of the faults, the mailbox is open and has received everything. */
  | { readonly kind: 'settled'; readonly box: string }
  /** The mailbox is open but did not receive an expected event in time. */
  | { readonly kind: 'stuck'; readonly box: string; readonly missing: string };

/** An entry with the time since the start of the history. Unit: ms. */
export type Timed = Entry & { readonly at: number };

/** All entries in the order of their occurrence. Entries are only added. */
export class History {
  readonly entries: Timed[] = [];
  readonly #began = performance.now();

  add(entry: Entry): void {
    this.entries.push({ at: Math.round((performance.now() - this.#began) * 10) / 10, ...entry });
  }

  /** Writes the history, with one entry in each line. */
  save(path: string): void {
    const file = openSync(path, 'w');
    try {
      for (let i = 0; i < this.entries.length; i += 1000)
        writeSync(
          file,
          this.entries
            .slice(i, i + 1000)
            .map((entry) => `${JSON.stringify(entry)}\n`)
            .join(''),
        );
    } finally {
      closeSync(file);
    }
  }
}

/** Reads the entries of a file that `save` wrote. */
export function loadHistory(path: string): Timed[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Timed);
}
