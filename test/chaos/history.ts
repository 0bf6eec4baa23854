import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Guarantees by name, as in the contract. */
export type Service = 'UNRELIABLE' | 'RELIABLE' | 'FIFO' | 'CAUSAL' | 'AGREED' | 'SAFE';

/** A failure as an application sees it. */
export interface Failure {
  /** Name of the gRPC status. */
  readonly status: string;
  /** The contract's reason; empty for a failure of the transport. */
  readonly reason: string;
  readonly message: string;
  /** Of an end: the last event that the mailbox received. */
  readonly lastSequence?: number;
}

/** What a member received. */
export type Seen =
  | {
      readonly is: 'message';
      /** Undefined when no workload sent it. */
      readonly id: string | undefined;
      readonly sender: string;
      readonly groups: readonly string[];
      readonly service: Service;
      readonly selfDiscard: boolean;
      /** Payload bytes, and a checksum over them. */
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
      /** Where the receiver stands in `members`. */
      readonly own: number;
      /** Of a view by NETWORK: the virtual-synchrony sets, and which of them is the receiver's own. */
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

/** What a message was when it was given to the sidecar. */
export interface Sent {
  /** The mailbox that sent it. */
  readonly box: string;
  readonly id: string;
  /** The number of the stream that it went through; undefined: a unary call. */
  readonly stream?: number;
  readonly service: Service;
  readonly groups: readonly string[];
  readonly selfDiscard: boolean;
  readonly bytes: number;
  readonly sum: number;
  /** The reason that it must be rejected with. */
  readonly refusal?: string;
}

/** `ok`: handed to the daemon. `refused`: certainly not. `unknown`: one or the other. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** How an application gave a mailbox up. */
export type Goodbye = 'clean' | 'leave-first' | 'abort' | 'abandon';

/**
 * A line of a history. `box` names a mailbox, `reader` one of the client objects that received from it, one
 * after the other; `link` is what a fault strikes: `app:n` or `daemon:n`, the two sides of the sidecar that
 * application n uses, or a process, or the network between the daemons.
 */
export type Entry =
  | { readonly kind: 'round'; readonly seed: string; readonly groups: readonly string[] }
  /**
   * A session at a daemon itself, which no fault touches but the end of the daemon, is in no group yet. Each
   * daemon has one at a time.
   */
  | { readonly kind: 'observer'; readonly number: number; readonly privateGroup: string }
  /** Its daemon was killed. What that one gave to others at the very end, it may lack. */
  | { readonly kind: 'observerLost'; readonly number: number }
  | {
      readonly kind: 'connected';
      readonly box: string;
      readonly app: number;
      readonly privateGroup: string;
      readonly acknowledgement: 'AUTO' | 'EXPLICIT';
    }
  /** A stream stands, and the next event on it must be `next`. */
  | { readonly kind: 'attached'; readonly box: string; readonly reader: number; readonly next: number }
  | {
      readonly kind: 'event';
      readonly box: string;
      readonly reader: number;
      readonly sequence: number;
      readonly event: Seen;
    }
  /** Nothing more comes; without a failure when the application asked for it. */
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
  /** The observer with this number received something. */
  | { readonly kind: 'observed'; readonly by: number; readonly event: Seen }
  | {
      readonly kind: 'fault';
      readonly link: string;
      readonly fault: string;
      readonly detail: string;
      /** Further links that suffer from it. */
      readonly affects?: readonly string[];
      /** How long before the entry the fault began, when it was noticed late. Unit: ms. Default: 0. */
      readonly noticedAfterMs?: number;
    }
  | { readonly kind: 'healed'; readonly link: string; readonly fault: string }
  /** Everything is over and was waited for: the mailbox lives and has received all that there is. */
  | { readonly kind: 'settled'; readonly box: string }
  /** The mailbox lives, as far as anybody was told, and did not receive what it must, in good time. */
  | { readonly kind: 'stuck'; readonly box: string; readonly missing: string };

/** An entry with the time since the history began. Unit: ms. */
export type Timed = Entry & { readonly at: number };

/** What happened, in the order in which it happened. Entries are only ever added. */
export class History {
  readonly entries: Timed[] = [];
  readonly #began = performance.now();

  add(entry: Entry): void {
    this.entries.push({ at: Math.round((performance.now() - this.#began) * 10) / 10, ...entry });
  }

  /** Writes it, an entry a line. */
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

/** The entries of a file that `save` wrote. */
export function loadHistory(path: string): Timed[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Timed);
}
