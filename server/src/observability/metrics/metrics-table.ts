// Every metric of our own: what metrics.ts registers and docs/metrics.md lists.

export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** Upper bounds in seconds. A call over loopback takes some hundred microseconds, so they begin at 0.1 ms. */
export const HANDLING_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Slow consumers that get series of their own: a label a mailbox must not grow without bound. */
export const MAX_NAMED_SLOW_CONSUMERS = 20;

const METHOD_LABELS = ['grpc_type', 'grpc_service', 'grpc_method'];
const MAILBOX_LABELS = ['mailbox', 'private_group'];

const row = (
  type: MetricRow['type'],
  name: string,
  help: string,
  labels: readonly string[] = [],
): MetricRow => ({
  name,
  type,
  labels,
  help,
});
const gauge = (name: string, help: string, labels?: readonly string[]) =>
  row('gauge', `spread_sidecar_${name}`, help, labels);
const counter = (name: string, help: string, labels?: readonly string[]) =>
  row('counter', `spread_sidecar_${name}`, help, labels);

export const grpcMetrics = {
  started: row('counter', 'grpc_server_started_total', 'Calls started.', METHOD_LABELS),
  handled: row('counter', 'grpc_server_handled_total', 'Calls that have ended, by status.', [
    ...METHOD_LABELS,
    'grpc_code',
  ]),
  handling: row(
    'histogram',
    'grpc_server_handling_seconds',
    'Time from the start of a call to its status.',
    METHOD_LABELS,
  ),
  received: row(
    'counter',
    'grpc_server_msg_received_total',
    'Messages received from clients.',
    METHOD_LABELS,
  ),
  sent: row('counter', 'grpc_server_msg_sent_total', 'Messages sent to clients.', METHOD_LABELS),
};

export const mailboxMetrics = {
  mailboxes: gauge(
    'mailboxes',
    'Mailboxes, by state: open, reconnecting, ended with events still to be taken, or leaving. A mailbox that is leaving was disconnected or has expired; its slot and its memory are free when its receiver and its connection are closed.',
    ['state'],
  ),
  opened: counter('mailboxes_opened_total', 'Mailboxes opened.'),
  ended: counter('mailboxes_ended_total', 'Mailboxes ended, by reason.', ['reason']),
  reconnects: counter(
    'mailbox_reconnects_total',
    'Daemon connections of mailboxes that were lost and made anew: started, and then succeeded or given_up; a mailbox that was ended meanwhile counts as neither.',
    ['stage'],
  ),
  receivers: gauge('receivers', 'Mailboxes with a Receive stream attached.'),
  events: counter('events_received_total', 'Events received from daemons, by kind.', ['kind']),
  eventBytes: counter('events_received_bytes_total', 'Bytes of the events received, as encoded for clients.'),
  given: counter(
    'events_delivered_total',
    'Events given to Receive streams; one that is given again counts again.',
  ),
  sent: counter('messages_sent_total', 'Messages handed to daemons, by guarantee.', ['service_type']),
  sentBytes: counter('messages_sent_bytes_total', 'Payload bytes handed to daemons.'),
  sendQueue: gauge('send_queue_bytes', 'Bytes that wait to be taken by daemons, all mailboxes together.'),
};

export const queueMetrics = {
  events: gauge('queue_events', 'Events that wait to be taken, all mailboxes together.'),
  bytes: gauge('queue_bytes', 'Bytes of events that wait to be taken, all mailboxes together.'),
  largestEvents: gauge('largest_queue_events', 'Events that wait in the mailbox with most of them.'),
  largestBytes: gauge('largest_queue_bytes', 'Bytes of events that wait in the mailbox with most of them.'),
  retained: gauge(
    'retained_bytes',
    'Bytes of all events held: those that wait, replay windows, unacknowledged ones, copies on their way to clients.',
  ),
  retainedLimit: gauge('retained_limit_bytes', 'Bound of retained_bytes: mailbox.totalQueueMaxBytes.'),
  paused: gauge(
    'mailboxes_paused',
    'Mailboxes that do not read from their daemon because their queue is full.',
  ),
  pauses: counter('mailbox_pauses_total', 'Times that a mailbox stopped to read from its daemon.'),
  slow: gauge(
    'slow_consumers',
    'Mailboxes whose queue is above the notice mark (mailbox.slowNotice) of a bound, or above their soft bound.',
  ),
  softLimited: gauge(
    'soft_limited_mailboxes',
    'Mailboxes whose queue is above their soft bound: each will be ended unless it falls in time.',
  ),
  notices: counter(
    'slow_consumer_notices_total',
    'Times that a queue rose over the notice mark or the soft bound.',
  ),
  fill: gauge(
    'slow_consumer_fill_ratio',
    `Part of its bound that the queue of a slow consumer has reached, for the ${MAX_NAMED_SLOW_CONSUMERS} fullest; the mailbox is named as in the log.`,
    MAILBOX_LABELS,
  ),
  slowBytes: gauge(
    'slow_consumer_queue_bytes',
    'Bytes in the queue of a slow consumer, unacknowledged ones included, as for the ratio.',
    MAILBOX_LABELS,
  ),
};

export const daemonMetrics = {
  up: gauge('daemon_connection_up', 'Whether the sidecar holds its own session at this default daemon.', [
    'address',
  ]),
  roundTrip: gauge(
    'daemon_round_trip_seconds',
    'Time that the last message of the sidecar to itself took through the default daemon; one every 5 s. Absent before the first. When none comes back within 10 s, the daemon counts as down.',
  ),
  connects: counter(
    'daemon_connects_total',
    'Sessions for mailboxes that daemons gave or refused, by outcome.',
    ['outcome'],
  ),
  errors: counter('spread_errors_total', 'Answers to clients that were a Spread error, by its name.', [
    'code',
  ]),
};

export const embeddedMetrics = {
  sessions: gauge('embedded_daemon_sessions', 'Sessions of the embedded daemon.'),
  groups: gauge('embedded_daemon_groups', 'Groups of the embedded daemon.'),
  queuedBytes: gauge('embedded_daemon_queue_bytes', 'Bytes queued for clients of the embedded daemon.'),
  sessionsOpened: counter('embedded_daemon_sessions_opened_total', 'Sessions that the embedded daemon gave.'),
  sessionsCut: counter(
    'embedded_daemon_sessions_cut_total',
    'Sessions that the embedded daemon ended on its own.',
  ),
  clientsRefused: counter(
    'embedded_daemon_clients_refused_total',
    'Clients that the embedded daemon refused.',
  ),
  messagesReceived: counter(
    'embedded_daemon_messages_received_total',
    'Messages that the embedded daemon read.',
  ),
  messagesDelivered: counter(
    'embedded_daemon_messages_delivered_total',
    'Copies of messages that the embedded daemon queued for receivers.',
  ),
};

export const securityMetrics = {
  refused: counter('refused_total', 'Calls and connections that were not let in, by reason.', ['reason']),
  reloads: counter(
    'credential_loads_total',
    'Certificates and tokens read from their files, at the start and when they changed, by outcome.',
    ['credential', 'outcome'],
  ),
  expiry: gauge(
    'tls_certificate_expiry_timestamp_seconds',
    "When the server's certificate ends, in seconds since 1970; 0 without TLS.",
  ),
};

export const limitMetrics = {
  refusals: counter(
    'limit_refusals_total',
    'Calls, connections and clients that ran into a limit, by its name in limits.md.',
    ['limit'],
  ),
};

export const processMetrics = {
  build: gauge('build_info', 'Always 1; the labels say what runs.', ['version', 'node']),
  privateNames: gauge(
    'private_name_info',
    'Always 1, where mailbox.privateNameSeed is set: private names that begin with this prefix are of this seed.',
    ['seed', 'prefix'],
  ),
  defects: counter(
    'defects_total',
    'Failures that nobody foresaw; the log has each. Anything but 0 is worth a report.',
  ),
};

/** In the order of docs/metrics.md. */
export const metricGroups: readonly { readonly title: string; readonly rows: readonly MetricRow[] }[] = [
  { title: 'gRPC', rows: Object.values(grpcMetrics) },
  { title: 'Mailboxes', rows: Object.values(mailboxMetrics) },
  { title: 'Queues and slow consumers', rows: Object.values(queueMetrics) },
  { title: 'Spread daemon', rows: Object.values(daemonMetrics) },
  { title: 'Embedded daemon, only while it is enabled', rows: Object.values(embeddedMetrics) },
  { title: 'Security', rows: Object.values(securityMetrics) },
  { title: 'Limits', rows: Object.values(limitMetrics) },
  { title: 'Process', rows: Object.values(processMetrics) },
];
