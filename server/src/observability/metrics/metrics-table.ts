// The sidecar's metrics. metrics.ts registers them, docs/metrics.md lists them.

export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** One sentence, for `# HELP` and docs/metrics.md. */
  readonly help: string;
  /** Further sentences, only for docs/metrics.md. */
  readonly details?: string;
  /** Upper boundaries of a histogram's buckets. Unit: that of the metric. */
  readonly buckets?: readonly number[];
}

/**
 * Upper boundaries in seconds. A call over loopback takes some hundred microseconds, so the first boundary is 0.1
 * ms.
 */
export const HANDLING_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/**
 * Upper boundaries in seconds. Without a queue, an event leaves in the same turn of the event loop in which it was
 * read. The events of a slow consumer can wait for minutes.
 */
export const DELIVERY_BUCKETS = [0.000025, 0.00005, ...HANDLING_BUCKETS, 60, 120];

/** Maximum number of slow consumers with their own series. It limits the number of label values. */
export const MAX_NAMED_SLOW_CONSUMERS = 20;

const METHOD_LABELS = ['grpc_type', 'grpc_service', 'grpc_method'];
const MAILBOX_LABELS = ['mailbox', 'private_group'];

const row = (
  type: MetricRow['type'],
  name: string,
  help: string,
  labels: readonly string[] = [],
  more: Pick<MetricRow, 'details' | 'buckets'> = {},
): MetricRow => ({
  name,
  type,
  labels,
  help,
  ...more,
});
const gauge = (name: string, help: string, labels?: readonly string[], details = '') =>
  row('gauge', `spread_sidecar_${name}`, help, labels, { details });
const counter = (name: string, help: string, labels?: readonly string[], details = '') =>
  row('counter', `spread_sidecar_${name}`, help, labels, { details });

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
    { buckets: HANDLING_BUCKETS, details: 'A Receive or MulticastStream counts as one call.' },
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
    'Mailboxes by state: open, reconnecting, ended (with undelivered events), or leaving.',
    ['state'],
    'A leaving mailbox was disconnected, or its lease has expired. The sidecar releases its slot and memory after its receiver and its connection have closed.',
  ),
  opened: counter('mailboxes_opened_total', 'Mailboxes opened.'),
  ended: counter('mailboxes_ended_total', 'Ended mailboxes by reason.', ['reason']),
  reconnects: counter(
    'mailbox_reconnects_total',
    'Reconnects of mailboxes by stage: started, then succeeded or given_up.',
    ['stage'],
    'A mailbox that ends for another reason while it reconnects counts only as started.',
  ),
  receivers: gauge('receivers', 'Mailboxes with an attached Receive stream.'),
  events: counter('events_received_total', 'Events received from daemons by kind.', ['kind']),
  eventBytes: counter(
    'events_received_bytes_total',
    'Bytes of the received events, in the encoding for clients.',
  ),
  given: counter(
    'events_delivered_total',
    'Events delivered to Receive streams.',
    [],
    'A redelivered event counts again.',
  ),
  deliveryTime: row(
    'histogram',
    'spread_sidecar_event_delivery_seconds',
    'Time from reading an event from the daemon to handing the event to the transport of a Receive stream.',
    [],
    {
      buckets: DELIVERY_BUCKETS,
      details:
        'Includes the time in the queue, also while no Receive is attached. Each mailbox measures one event at a time. After a receiver gets the measured event, the mailbox measures the next event that it reads. A redelivered event does not count again.',
    },
  ),
  sent: counter('messages_sent_total', 'Messages sent to daemons, by service type.', ['service_type']),
  sentBytes: counter('messages_sent_bytes_total', 'Payload bytes sent to daemons.'),
  sendQueue: gauge('send_queue_bytes', 'Bytes in the send queues of all mailboxes.'),
};

export const queueMetrics = {
  events: gauge('queue_events', 'Queued events of all mailboxes.'),
  bytes: gauge('queue_bytes', 'Bytes of queued events of all mailboxes.'),
  largestEvents: gauge('largest_queue_events', 'Queued events of the mailbox with the most queued events.'),
  largestBytes: gauge(
    'largest_queue_bytes',
    'Bytes of queued events of the mailbox with the most such bytes.',
  ),
  retained: gauge(
    'retained_bytes',
    'Bytes that mailbox.totalQueueMaxBytes limits: queued events, replay windows, unacknowledged events, and copies in transit to clients.',
  ),
  retainedLimit: gauge(
    'retained_limit_bytes',
    'Limit of spread_sidecar_retained_bytes: mailbox.totalQueueMaxBytes.',
  ),
  paused: gauge(
    'mailboxes_paused',
    'Mailboxes that do not read from their daemon because their queue is full.',
  ),
  pauses: counter('mailbox_pauses_total', 'Number of times that a mailbox stopped reading from its daemon.'),
  slow: gauge(
    'slow_consumers',
    'Mailboxes whose queue is above the fraction mailbox.slowNotice of a limit, or above their soft limit.',
  ),
  softLimited: gauge(
    'soft_limited_mailboxes',
    'Mailboxes whose queue is above their soft limit.',
    [],
    'The sidecar ends a mailbox whose queue stays above its soft limit for too long.',
  ),
  notices: counter(
    'slow_consumer_notices_total',
    'Number of times that a queue rose above the fraction mailbox.slowNotice of a limit, or above the soft limit.',
  ),
  fill: gauge(
    'slow_consumer_fill_ratio',
    'Size of the queue of a slow consumer, as a fraction of the limit of the queue.',
    MAILBOX_LABELS,
    `Exists for the ${MAX_NAMED_SLOW_CONSUMERS} fullest queues. The label mailbox is the display ID, as in the log.`,
  ),
  slowBytes: gauge(
    'slow_consumer_queue_bytes',
    'Bytes in the queue of a slow consumer, including unacknowledged events.',
    MAILBOX_LABELS,
    'Exists for the same mailboxes as spread_sidecar_slow_consumer_fill_ratio.',
  ),
};

export const daemonMetrics = {
  up: gauge(
    'daemon_connection_up',
    "State of the sidecar's own session at this default daemon: 1 if the session is open, else 0.",
    ['address'],
  ),
  roundTrip: gauge(
    'daemon_round_trip_seconds',
    'Round-trip time of the last probe message that the sidecar sent to itself through the default daemon.',
    [],
    'The sidecar sends a probe every 5 s. The metric is absent before the first response. If a probe takes more than 10 s, the daemon counts as down.',
  ),
  connects: counter(
    'daemon_connects_total',
    'Attempts to open a session of a mailbox at a daemon, by outcome: success or failure.',
    ['outcome'],
  ),
  errors: counter(
    'spread_errors_total',
    'Responses to clients with a Spread error, by the name of the error.',
    ['code'],
  ),
};

export const embeddedMetrics = {
  sessions: gauge('embedded_daemon_sessions', 'Sessions of the embedded daemon.'),
  groups: gauge('embedded_daemon_groups', 'Groups of the embedded daemon.'),
  queuedBytes: gauge('embedded_daemon_queue_bytes', 'Bytes queued for clients of the embedded daemon.'),
  sessionsOpened: counter(
    'embedded_daemon_sessions_opened_total',
    'Sessions that the embedded daemon opened.',
  ),
  sessionsCut: counter(
    'embedded_daemon_sessions_cut_total',
    'Sessions that the embedded daemon ended because the client did not read, sent an invalid message or used too much memory.',
  ),
  clientsRefused: counter(
    'embedded_daemon_clients_refused_total',
    'Clients that the embedded daemon rejected.',
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
  refused: counter('refused_total', 'Calls and connections rejected for security reasons, by reason.', [
    'reason',
  ]),
  reloads: counter(
    'credential_loads_total',
    'Loads of certificates and tokens from their files, at the start and after a change, by outcome.',
    ['credential', 'outcome'],
  ),
  expiry: gauge(
    'tls_certificate_expiry_timestamp_seconds',
    'Time at which the server certificate expires, in seconds since 1970, or 0 without TLS.',
  ),
};

export const limitMetrics = {
  refusals: counter(
    'limit_refusals_total',
    'Number of times that a call, a connection or a client reached a limit, by the name of the limit in limits.md.',
    ['limit'],
  ),
};

export const processMetrics = {
  build: gauge(
    'build_info',
    'Always 1, with the versions of the sidecar, of Node and of the gRPC contract as labels.',
    ['version', 'node', 'contract'],
  ),
  privateNames: gauge(
    'private_name_info',
    'Always 1 if mailbox.privateNameSeed is set, with the seed and the prefix of its private names as labels.',
    ['seed', 'prefix'],
  ),
  defects: counter(
    'defects_total',
    'Unexpected errors.',
    [],
    'The log has the cause of each error. Report every value above 0 as a defect.',
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
