// The schema of the log in JSON. The compiler checks the fields of each log call, docs/logs.md lists them, and the
// tests check the lines that sidecars write.

/** The JSON type of a field. A field has the same type in every line. */
export type LogFieldType = 'string' | 'number' | 'boolean' | 'object' | 'list of strings';

interface LogField {
  readonly type: LogFieldType;
  readonly meaning: string;
}

/** The types of values in log calls. The logger converts an error to an object. */
interface Values {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly object: object;
  readonly 'list of strings': readonly string[];
}

const text = (meaning: string) => ({ type: 'string', meaning }) as const;
const number = (meaning: string) => ({ type: 'number', meaning }) as const;
const flag = (meaning: string) => ({ type: 'boolean', meaning }) as const;
const object = (meaning: string) => ({ type: 'object', meaning }) as const;
const list = (meaning: string) => ({ type: 'list of strings', meaning }) as const;

/** Fields that the logger itself writes. Log calls must not set them. */
export const LINE_FIELDS = {
  time: text('Time of the line in UTC, in the format of ISO 8601.'),
  level: text('Severity: `trace`, `debug`, `info`, `warn`, `error` or `fatal`.'),
  msg: text('The message, a sentence for people. Its text can change in any release.'),
  trace_id: text('ID of the trace, 32 hexadecimal digits. Only in lines that a traced call writes.'),
  span_id: text('ID of the span, 16 hexadecimal digits. Only together with `trace_id`.'),
} as const satisfies Readonly<Record<string, LogField>>;

/** Fields of log calls, in the order of docs/logs.md. */
export const CALL_FIELDS = {
  mailbox: text('Display ID of the mailbox, which gives no access.'),
  privateGroup: text('Private group of the mailbox, or of the session at the embedded daemon.'),
  previousPrivateGroup: text('Private group before the reconnect.'),
  daemon: text('Spread name of the daemon.'),
  daemons: list('Spread names of the default daemons.'),
  daemonUp: flag('Whether the default daemon was reachable at the start.'),
  embeddedDaemon: flag('Whether the sidecar runs the embedded daemon.'),
  peer: text('Address of the client, such as `10.0.0.7:51234`, or `unix`.'),
  identity: text('Identity of the client, see [security.md](security.md#identities).'),
  method: text('Full name of the gRPC method.'),
  page: text('Path of the page of the admin port.'),
  pages: list('Paths of pages of the admin port.'),
  reason: text(
    'Reason of an end or of a rejection, as in [errors.md](errors.md) and [security.md](security.md#refusals).',
  ),
  why: text('Cause of a rejection, for people.'),
  code: text('Name of the Spread error or of the system error, such as `REJECT_QUOTA` or `ECONNREFUSED`.'),
  err: object(
    'An error, with `type`, `message`, `stack` and, if known, `code`. `stack` includes the stack of the cause.',
  ),
  logId: text(
    'Random ID of one unexpected error. The client gets the same ID in the metadata `log_id` of the status INTERNAL.',
  ),
  limit: text('Name of the reached limit, as in [limits.md](limits.md).'),
  openFiles: number('Limit of open files of the process.'),
  queuedEvents: number('Events in the queue, including unacknowledged events.'),
  maxEvents: number('Limit of `queuedEvents`.'),
  queuedBytes: number('Bytes in the queue, including unacknowledged events.'),
  maxBytes: number('Limit of `queuedBytes`.'),
  mailboxes: number('Mailboxes at the start of the drain.'),
  messagesLost: number('Messages that were queued for a session of the embedded daemon and are lost.'),
  transport: text(
    'Connection of a client of the embedded daemon: `tcp`, `unix`, or `memory` for a mailbox of this process.',
  ),
  clientVersion: text('Version of the Spread library of a client that connects to the embedded daemon.'),
  membership: flag('Whether the session at the embedded daemon receives membership views.'),
  seconds: number('Time from the loss of the connection to the reconnect, in seconds.'),
  delayMs: number('Shutdown delay, in milliseconds.'),
  graceMs: number('Longest time of the drain (`drain.grace`), in milliseconds.'),
  waitedSeconds: number('Time that the sidecar has waited for its daemon, in seconds.'),
  count: number('Tokens in the loaded file.'),
  expires: text('Time at which the loaded certificate expires, in the format of ISO 8601.'),
  outcome: text('Result of `POST /drop-mailbox`.'),
  problem: text('Problem with the export of traces.'),
  kind: text('Kind of the suppressed lines.'),
  more: number('Suppressed lines of the same kind since the last line of this kind.'),
  dropped: number('Lines that were discarded because the reader of the log stalled.'),
  version: text('Release of the sidecar.'),
  daemonVersion: text('Version of the daemon.'),
  grpc: list('Addresses on which the gRPC server listens.'),
  admin: text('Address of the admin port, or `off`.'),
  security: object(
    'Access rules of the configuration: `tls`, `clientCertificates`, `clientTokens`, `adminCredential` and `insecure`, each true or false.',
  ),
  seed: text('Value of `mailbox.privateNameSeed`.'),
  prefix: text('First characters of all private names that the sidecar generates from `seed`.'),
  memoryLimit: number('Memory that the process should not exceed, in bytes.'),
  memoryOrigin: text('Origin of `memoryLimit`: `memory.limit`, `container` or `machine`.'),
  bounds: object('Limits that follow from `memoryLimit`, by the name of their option. Sizes are in bytes.'),
  plannedBytes: number('Bytes that the configured limits of queues and buffers allow.'),
} as const satisfies Readonly<Record<string, LogField>>;

type Calls = typeof CALL_FIELDS;

/** The fields of a log call. */
export type LogFields = {
  readonly [Name in keyof Calls]?: (Name extends 'err' ? unknown : Values[Calls[Name]['type']]) | undefined;
};
