import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { MethodInfo } from '../../../../server/src/grpc/calls/methods.js';
import type { EndReason } from '../../../../server/src/mailbox/mailbox-types.js';
import { TotalsSum } from '../../../../server/src/mailbox/registry/statistics.js';
import {
  createMetrics,
  type MetricsOptions,
  type MetricsSample,
} from '../../../../server/src/observability/index.js';
import {
  MAX_NAMED_SLOW_CONSUMERS,
  metricGroups,
} from '../../../../server/src/observability/metrics/metrics-table.js';
import { type ActiveSpan, traceFrom } from '../../../../server/src/observability/trace-context.js';

const SERVICE = 'spread.sidecar.v1.MailboxService';
const connect: MethodInfo = { service: SERVICE, method: 'Connect', type: 'unary' };
const receive: MethodInfo = { service: SERVICE, method: 'Receive', type: 'server_stream' };
const connectLabels = `grpc_type="unary",grpc_service="${SERVICE}",grpc_method="Connect"`;

type Mailbox = MetricsSample['mailboxes'] extends Iterable<infer M> ? M : never;

const mailbox = (fields: Partial<Mailbox>): Mailbox => ({
  displayId: 'm1',
  privateGroup: '#a#b',
  state: 'OPEN',
  receiverAttached: false,
  paused: false,
  waitingEvents: 0,
  waitingBytes: 0,
  loadEvents: 0,
  loadBytes: 0,
  softLimitEndsAtMs: undefined,
  sendQueueBytes: 0,
  limits: { queue: { maxEvents: 100, maxBytes: 1000 } },
  ...fields,
});
const idle: MetricsSample['totals'] = new TotalsSum();
const embeddedDaemon = {
  sessions: 1,
  groups: 2,
  queuedBytes: 3,
  sessionsOpened: 4,
  sessionsCut: 5,
  clientsRefused: 6,
  messagesReceived: 7,
  messagesDelivered: 8,
  connections: 9,
  memberships: 10,
  membershipsDelivered: 11,
};

function setUp(options: Partial<MetricsOptions> = {}) {
  const sample: { -readonly [K in keyof MetricsSample]: MetricsSample[K] } = {
    totals: idle,
    mailboxes: [],
    retainedBytes: 0,
  };
  const metrics = createMetrics({
    version: '1.2.3',
    contract: 'spread.sidecar.v1',
    methods: [connect, receive],
    spreadCodes: ['ILLEGAL_GROUP', 'CONNECTION_CLOSED'],
    daemons: ['4803', '4803@b'],
    noticeMark: 0.8,
    totalQueueBytes: 5000,
    embeddedDaemon: false,
    sample: () => sample,
    ...options,
  });
  const scrape = async () => {
    const { body } = await metrics.page();
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [
        line.slice(0, line.lastIndexOf(' ')),
        Number(line.slice(line.lastIndexOf(' ') + 1)),
      ]),
    );
  };
  return { metrics, sample, scrape };
}

describe('from the start', () => {
  it('every series with known labels exists, at 0', async () => {
    const series = await setUp({ embeddedDaemon: true }).scrape();
    const rows = [
      `grpc_server_started_total{${connectLabels}}`,
      `grpc_server_msg_received_total{${connectLabels}}`,
      `grpc_server_msg_sent_total{${connectLabels}}`,
      `grpc_server_handling_seconds_count{${connectLabels}}`,
      `grpc_server_handling_seconds_bucket{le="0.0001",${connectLabels}}`,
      'spread_sidecar_mailboxes{state="open"}',
      'spread_sidecar_mailboxes{state="reconnecting"}',
      'spread_sidecar_mailboxes{state="ended"}',
      'spread_sidecar_mailbox_reconnects_total{stage="started"}',
      'spread_sidecar_mailbox_reconnects_total{stage="succeeded"}',
      'spread_sidecar_mailbox_reconnects_total{stage="given_up"}',
      'spread_sidecar_mailboxes_opened_total',
      'spread_sidecar_mailboxes_ended_total{reason="LEASE_EXPIRED"}',
      'spread_sidecar_events_received_total{kind="self_leave"}',
      'spread_sidecar_events_received_bytes_total',
      'spread_sidecar_events_delivered_total',
      'spread_sidecar_event_delivery_seconds_count',
      'spread_sidecar_messages_sent_total{service_type="AGREED"}',
      'spread_sidecar_messages_sent_bytes_total',
      'spread_sidecar_queue_events',
      'spread_sidecar_largest_queue_bytes',
      'spread_sidecar_slow_consumers',
      'spread_sidecar_slow_consumer_notices_total',
      'spread_sidecar_daemon_connection_up{address="4803@b"}',
      'spread_sidecar_daemon_connects_total{outcome="failure"}',
      'spread_sidecar_spread_errors_total{code="ILLEGAL_GROUP"}',
      'spread_sidecar_embedded_daemon_sessions_cut_total',
      'spread_sidecar_defects_total',
    ];
    for (const name of rows) expect.soft([name, series.get(name)]).toEqual([name, 0]);
    expect(series.get('spread_sidecar_retained_limit_bytes')).toBe(5000);
    expect(
      series.get(
        `spread_sidecar_build_info{version="1.2.3",node="${process.version}",contract="spread.sidecar.v1"}`,
      ),
    ).toBe(1);
  });

  it('every method has every status', async () => {
    const series = [...(await setUp().scrape()).entries()];
    const handled = series.filter(([name]) => name.startsWith('grpc_server_handled_total{'));
    expect(handled).toHaveLength(2 * 17);
    expect(handled.map(([name]) => name)).toContain(
      `grpc_server_handled_total{${connectLabels},grpc_code="OutOfRange"}`,
    );
    expect(handled.every(([, value]) => value === 0)).toBe(true);
  });

  it('every metric of the table appears', async () => {
    const { body } = await setUp({ embeddedDaemon: true }).metrics.page();
    for (const { name, type, help } of metricGroups.flatMap(({ rows }) => rows)) {
      expect(body).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
  });

  it('without an embedded daemon it has no metrics', async () => {
    expect((await setUp().metrics.page()).body).not.toContain('embedded');
  });

  it('the process and its event loop exist once for any number of sidecars', async () => {
    await setUp().metrics.page();
    const { contentType, body } = await setUp().metrics.page();
    expect(body.match(/^process_cpu_seconds_total /gm)).toHaveLength(1);
    expect(body).toContain('\nnodejs_eventloop_lag_seconds ');
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});

describe('calls', () => {
  it('are counted by method, status and time', async () => {
    const { metrics, scrape } = setUp();
    const { grpc } = metrics.events;
    for (let i = 0; i < 3; i++) grpc.callStarted(connect);
    grpc.messageReceived(connect);
    grpc.messageSent(receive);
    grpc.messageSent(receive);
    grpc.callFinished(connect, 0, 0.0002);
    grpc.callFinished(connect, 14, 0.3);
    grpc.callFinished(connect, 99, 100);
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const series = await scrape();
      const of = (name: string) => series.get(name);
      expect(of(`grpc_server_started_total{${connectLabels}}`)).toBe(3);
      expect(of(`grpc_server_msg_received_total{${connectLabels}}`)).toBe(1);
      expect(of(`grpc_server_handled_total{${connectLabels},grpc_code="OK"}`)).toBe(1);
      expect(of(`grpc_server_handled_total{${connectLabels},grpc_code="Unavailable"}`)).toBe(1);
      expect(of(`grpc_server_handled_total{${connectLabels},grpc_code="Unknown"}`)).toBe(1);
      expect(of(`grpc_server_handling_seconds_bucket{le="0.0001",${connectLabels}}`)).toBe(0);
      expect(of(`grpc_server_handling_seconds_bucket{le="0.00025",${connectLabels}}`)).toBe(1);
      expect(of(`grpc_server_handling_seconds_bucket{le="+Inf",${connectLabels}}`)).toBe(3);
    }
  });

  it('have exemplars with the current trace, only in the OpenMetrics format', async () => {
    const spans = new AsyncLocalStorage<ActiveSpan>();
    traceFrom(spans);
    const { metrics } = setUp();
    const { grpc } = metrics.events;
    const traceId = 'ab'.repeat(16);
    grpc.callFinished(connect, 0, 0.0004);
    spans.run({ traceId, spanId: 'cd'.repeat(8), isEnded: false, isSampled: true }, () => {
      grpc.callFinished(connect, 0, 0.002);
      grpc.eventsDelivered(0.02);
      grpc.eventsDelivered(1000);
    });
    grpc.eventsDelivered(0.02);
    const page = await metrics.page();
    const lines = page.openMetrics().body.split('\n');
    const exemplars = lines
      .filter((line) => line.includes('trace_id'))
      .map((line) => line.replace(/\S+$/, 'time'));
    const ids = `# {trace_id="${traceId}",span_id="${'cd'.repeat(8)}"}`;
    expect(exemplars).toEqual([
      `grpc_server_handling_seconds_bucket{le="0.0025",${connectLabels}} 2 ${ids} 0.002 time`,
      `spread_sidecar_event_delivery_seconds_bucket{le="0.025"} 2 ${ids} 0.02 time`,
      `spread_sidecar_event_delivery_seconds_bucket{le="+Inf"} 3 ${ids} 1000 time`,
    ]);
    expect(lines.filter((line) => line === '# EOF')).toHaveLength(1);
    expect(page.body).not.toMatch(/trace_id|EOF/);
    expect(page.body).toContain(`grpc_server_handling_seconds_bucket{le="0.0025",${connectLabels}} 2\n`);
  });

  it('of one service on two servers are one method', async () => {
    const { metrics, scrape } = setUp();
    metrics.events.grpc.callStarted(connect);
    metrics.events.grpc.callStarted({ ...connect });
    expect((await scrape()).get(`grpc_server_started_total{${connectLabels}}`)).toBe(2);
  });

  it('of an unannounced method count too', async () => {
    const { metrics, scrape } = setUp();
    metrics.events.grpc.callStarted({ service: 's', method: 'New', type: 'unary' });
    const name = 'grpc_server_started_total{grpc_type="unary",grpc_service="s",grpc_method="New"}';
    expect((await scrape()).get(name)).toBe(1);
  });
});

describe('mailboxes', () => {
  it('the times of deliveries become a histogram', async () => {
    const { metrics, scrape } = setUp();
    for (const seconds of [0.00004, 0.0002, 100]) metrics.events.grpc.eventsDelivered(seconds);
    const series = await scrape();
    const bucket = (le: string) => series.get(`spread_sidecar_event_delivery_seconds_bucket{le="${le}"}`);
    expect(['0.000025', '0.00005', '0.0001', '0.00025', '60', '120', '+Inf'].map(bucket)).toEqual([
      0, 1, 1, 2, 2, 3, 3,
    ]);
    expect(series.get('spread_sidecar_event_delivery_seconds_sum')).toBeCloseTo(100.00024);
  });

  it('events become counters', async () => {
    const { metrics, scrape } = setUp();
    const { mailbox: mailboxEvents, grpc } = metrics.events;
    const identity = { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' };
    mailboxEvents.opened(identity, { peer: '', identity: 'tcp' });
    mailboxEvents.ended(identity, 'LEASE_EXPIRED', 'over');
    mailboxEvents.ended(identity, 'SOMETHING_NEW' as EndReason, 'over');
    mailboxEvents.paused(identity);
    mailboxEvents.slowConsumer(identity, {
      queuedEvents: 1,
      queuedBytes: 1,
      limits: { maxEvents: 1, maxBytes: 1, replayBytes: 0, overflow: 'PAUSE' },
      mark: { events: 1, bytes: 1 },
      timeLeftMs: undefined,
    });
    mailboxEvents.connectFailed('4803', new Error('no'));
    mailboxEvents.defect(new Error('bug'));
    grpc.spreadError('ILLEGAL_GROUP');
    const series = await scrape();
    for (const name of [
      'mailboxes_opened_total',
      'mailboxes_ended_total{reason="LEASE_EXPIRED"}',
      'mailboxes_ended_total{reason="SOMETHING_NEW"}',
      'mailbox_pauses_total',
      'slow_consumer_notices_total',
      'daemon_connects_total{outcome="success"}',
      'daemon_connects_total{outcome="failure"}',
      'defects_total',
      'spread_errors_total{code="ILLEGAL_GROUP"}',
    ])
      expect.soft([name, series.get(`spread_sidecar_${name}`)]).toEqual([name, 1]);
  });

  it('reconnects become counters', async () => {
    const { metrics, scrape } = setUp();
    const { mailbox: mailboxEvents } = metrics.events;
    const identity = { displayId: 'm1', privateGroup: '#a#b', daemon: '4803' };
    for (let i = 0; i < 5; i++) mailboxEvents.reconnecting(identity, 'gone');
    for (let i = 0; i < 4; i++) mailboxEvents.reconnectFailed(identity, '4803', new Error('no'));
    for (let i = 0; i < 3; i++) mailboxEvents.reconnected(identity, '#a#b', 1);
    for (let i = 0; i < 2; i++) mailboxEvents.reconnectGivenUp(identity, 'no');
    const series = await scrape();
    for (const [name, value] of [
      ['mailbox_reconnects_total{stage="started"}', 5],
      ['mailbox_reconnects_total{stage="succeeded"}', 3],
      ['mailbox_reconnects_total{stage="given_up"}', 2],
      ['daemon_connects_total{outcome="success"}', 3],
      ['daemon_connects_total{outcome="failure"}', 4],
    ])
      expect.soft([name, series.get(`spread_sidecar_${name}`)]).toEqual([name, value]);
  });

  it('totals and sizes are read at each scrape', async () => {
    const { sample, scrape } = setUp();
    for (const factor of [1, 2]) {
      sample.totals = {
        received: { ...idle.received, regular: 3 * factor, selfLeave: factor },
        eventBytes: 10 * factor,
        eventsGiven: 2 * factor,
        messagesSent: 4 * factor,
        sentByService: { ...idle.sentByService, SAFE: 4 * factor },
        payloadBytesSent: 40 * factor,
      };
      sample.mailboxes = [
        mailbox({ waitingEvents: 3, waitingBytes: 7 * factor, receiverAttached: true }),
        mailbox({ waitingEvents: 1, waitingBytes: 20, paused: true, sendQueueBytes: 5 }),
        mailbox({ state: 'ENDED' }),
        mailbox({ state: 'LEAVING' }),
      ];
      sample.retainedBytes = 39;
      const series = await scrape();
      expect(
        Object.fromEntries([...series].filter(([name]) => name.startsWith('spread_sidecar_'))),
      ).toMatchObject({
        'spread_sidecar_events_received_total{kind="regular"}': 3 * factor,
        'spread_sidecar_events_received_total{kind="self_leave"}': factor,
        spread_sidecar_events_received_bytes_total: 10 * factor,
        spread_sidecar_events_delivered_total: 2 * factor,
        'spread_sidecar_messages_sent_total{service_type="SAFE"}': 4 * factor,
        'spread_sidecar_messages_sent_total{service_type="FIFO"}': 0,
        spread_sidecar_messages_sent_bytes_total: 40 * factor,
        'spread_sidecar_mailboxes{state="open"}': 2,
        'spread_sidecar_mailboxes{state="ended"}': 1,
        'spread_sidecar_mailboxes{state="leaving"}': 1,
        spread_sidecar_receivers: 1,
        spread_sidecar_queue_events: 4,
        spread_sidecar_queue_bytes: 20 + 7 * factor,
        spread_sidecar_largest_queue_events: 3,
        spread_sidecar_largest_queue_bytes: 20,
        spread_sidecar_mailboxes_paused: 1,
        spread_sidecar_send_queue_bytes: 5,
        spread_sidecar_retained_bytes: 39,
      });
    }
  });

  it('a slow consumer is named while it is slow', async () => {
    const { sample, scrape } = setUp();
    sample.mailboxes = [
      mailbox({ displayId: 'events', loadEvents: 80 }),
      mailbox({ displayId: 'bytes', privateGroup: '#"x\n#y', loadBytes: 1000 }),
      mailbox({ displayId: 'fast', loadEvents: 79, loadBytes: 799 }),
      mailbox({ displayId: 'threatened', loadEvents: 60, softLimitEndsAtMs: 1 }),
    ];
    const series = await scrape();
    const fills = [...series].filter(([name]) => name.includes('fill_ratio'));
    expect(fills).toEqual([
      ['spread_sidecar_slow_consumer_fill_ratio{mailbox="bytes",private_group="#\\"x\\n#y"}', 1],
      ['spread_sidecar_slow_consumer_fill_ratio{mailbox="events",private_group="#a#b"}', 0.8],
      ['spread_sidecar_slow_consumer_fill_ratio{mailbox="threatened",private_group="#a#b"}', 0.6],
    ]);
    expect(series.get('spread_sidecar_slow_consumers')).toBe(3);
    expect(series.get('spread_sidecar_soft_limited_mailboxes')).toBe(1);
    sample.mailboxes = [];
    const later = await scrape();
    expect([...later.keys()].filter((name) => name.includes('slow_consumer_'))).toEqual([
      'spread_sidecar_slow_consumer_notices_total',
    ]);
    expect(later.get('spread_sidecar_slow_consumers')).toBe(0);
  });

  it('only the fullest slow consumers are named, all are counted', async () => {
    const { sample, scrape } = setUp();
    sample.mailboxes = Array.from({ length: 100 }, (_, i) =>
      mailbox({ displayId: `m${i}`, loadBytes: 801 + i }),
    );
    const series = await scrape();
    const named = [...series.keys()].filter((name) => name.includes('fill_ratio'));
    expect(named).toHaveLength(MAX_NAMED_SLOW_CONSUMERS);
    expect(named[0]).toContain('mailbox="m99"');
    expect(series.get('spread_sidecar_slow_consumers')).toBe(100);
  });
});

describe('daemons', () => {
  it('the available one has the value 1', async () => {
    const { metrics, scrape } = setUp();
    const up = async () => {
      const series = await scrape();
      return ['4803', '4803@b'].map((address) =>
        series.get(`spread_sidecar_daemon_connection_up{address="${address}"}`),
      );
    };
    metrics.events.daemon.up('4803', '5.0.1');
    expect(await up()).toEqual([1, 0]);
    metrics.events.daemon.up('4803@b', '5.0.1');
    expect(await up()).toEqual([0, 1]);
    metrics.events.daemon.down(undefined);
    expect(await up()).toEqual([0, 0]);
  });

  it('the embedded one is read at each scrape', async () => {
    const { sample, scrape } = setUp({ embeddedDaemon: true });
    sample.embeddedDaemon = embeddedDaemon;
    const series = await scrape();
    const values = [...series]
      .filter(([name]) => name.startsWith('spread_sidecar_embedded'))
      .map(([, value]) => value);
    expect(values).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
