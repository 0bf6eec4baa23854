// The fields of the JSON pages that the page shows. docs/status.md describes them.

export interface Status {
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly stage: string;
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message?: string }[];
  readonly mailboxes: number;
  readonly totals: {
    readonly receivedEvents: number;
    readonly sentMessages: number;
    readonly waitingBytes: number;
  };
  readonly daemon: {
    readonly up: boolean;
    readonly address: string | null;
    readonly version: string | null;
    readonly history: readonly DaemonChange[];
  };
}

export interface DaemonChange {
  readonly at: string;
  readonly up: boolean;
  readonly daemon?: string;
  readonly version?: string;
  readonly message?: string;
}

/** A page of rows. */
export interface Rows {
  readonly at: string;
  readonly total: number;
  readonly complete: boolean;
  readonly offset: number;
  readonly nextOffset: number | null;
}

export interface MailboxRows extends Rows {
  readonly mailboxes: readonly Mailbox[];
}

export interface Mailbox {
  readonly displayId: string;
  readonly privateGroup: string;
  readonly client: string;
  readonly daemon: string;
  readonly state: string;
  readonly openedAt: string;
  readonly receiverAttached: boolean;
  readonly membership: boolean;
  readonly groupCount: number;
  readonly groups: readonly string[];
  readonly queue: {
    readonly events: number;
    readonly maxEvents: number;
    readonly bytes: number;
    readonly maxBytes: number;
    readonly waitingEvents: number;
    readonly waitingBytes: number;
    readonly paused: boolean;
  };
  readonly sendQueue: { readonly bytes: number; readonly maxBytes: number };
  readonly received: { readonly events: number; readonly perSecond: number };
  readonly sent: { readonly messages: number; readonly perSecond: number };
  readonly lease: { readonly durationMs: number; readonly endsAt: string | null };
}

export interface GroupRows extends Rows {
  readonly groups: readonly Group[];
}

export interface Group {
  readonly group: string;
  readonly daemon: string;
  readonly mailboxes: number;
  readonly memberCount: number | null;
  readonly members: readonly string[];
  readonly lastChange: {
    readonly at: string;
    readonly cause: string;
    readonly changedCount: number;
    readonly changed: readonly string[];
    readonly groupId: readonly number[];
  } | null;
}

export interface Events {
  readonly startedAt: string;
  readonly lastSequence: number;
  readonly events: readonly SidecarEvent[];
}

export interface SidecarEvent {
  readonly sequence: number;
  readonly at: string;
  readonly kind: string;
  readonly mailbox?: string;
  readonly privateGroup?: string;
  readonly daemon?: string;
  readonly version?: string;
  readonly client?: string;
  readonly peer?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly method?: string;
  readonly page?: string;
  readonly queuedEvents?: number;
  readonly maxEvents?: number;
  readonly queuedBytes?: number;
  readonly maxBytes?: number;
}

export interface Config {
  readonly options: readonly ConfigOption[];
}

export interface ConfigOption {
  readonly key: string;
  readonly value: string | readonly string[];
  readonly source: string;
  readonly from: string;
  readonly effective?: number;
}
