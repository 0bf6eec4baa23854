import { join } from 'node:path';
import { AGREED_MESS, type Mailbox, type SidecarOptions, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chartQueries, dashboard, withIntervals } from '../support/chart/dashboard.js';
import { ruleFile } from '../support/chart/prometheus-rules.js';
import { acceleratedRules, PrometheusServer } from '../support/chart/prometheus-server.js';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { TestAuthority } from '../support/network/certificates.js';
import { isAvailable } from '../support/requirements.mjs';
import { startCli } from '../support/sidecars/cli.js';
import { put } from '../support/sidecars/secured-sidecar.js';
import { freePort, SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const TOKEN = 'client-token-0123456789';

/** Rules that look back 10 minutes look back 10 seconds here. */
const ACCELERATION = 60;

/** A sidecar process that Prometheus scrapes. */
interface MonitoredSidecar {
  readonly pod: string;
  readonly admin: string;
  readonly options: SidecarOptions;
  client(options?: SidecarOptions): SpreadSidecar;
  process: SidecarProcess;
  restart(): Promise<void>;
}

/** @param env - options without the prefix SPREAD_SIDECAR_ */
async function startMonitored(
  pod: string,
  env: Record<string, string>,
  options: SidecarOptions = {},
): Promise<MonitoredSidecar> {
  const [grpc, admin] = [await freePort(), await freePort()];
  const variables = Object.fromEntries(
    Object.entries({
      GRPC_LISTEN: `127.0.0.1:${grpc}`,
      GRPC_RELOAD_INTERVAL: '100ms',
      ADMIN_LISTEN: `127.0.0.1:${admin}`,
      ...env,
    }).map(([name, value]) => [`SPREAD_SIDECAR_${name}`, value]),
  );
  const start = async () => {
    const process = new SidecarProcess([], variables);
    await process.ready(admin, 60_000);
    return process;
  };
  const monitored: MonitoredSidecar = {
    pod,
    admin: `127.0.0.1:${admin}`,
    options: { target: `127.0.0.1:${grpc}`, ...options },
    client(more = {}) {
      const client = new SpreadSidecar({ ...monitored.options, ...more });
      onTestFinished(() => client.close({ keepMailboxes: true }).catch(() => {}));
      return client;
    },
    process: await start(),
    async restart() {
      await monitored.process.end();
      monitored.process = await start();
    },
  };
  return monitored;
}

const embedded = () => ({
  EMBEDDED_DAEMON: 'true',
  EMBEDDED_LISTEN: 'off',
  EMBEDDED_SOCKET: join(temporaryFolder(), 'spread'),
});

/** A sidecar with the embedded daemon, TLS and tokens, and the files of both. */
async function startSecuredPod(pod: string, env: Record<string, string> = {}) {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.server();
  const folder = temporaryFolder();
  const files = {
    ca: put(join(folder, 'ca.crt'), authority.cert),
    cert: put(join(folder, 'tls.crt'), cert),
    key: put(join(folder, 'tls.key'), key),
    tokens: put(join(folder, 'tokens'), `${TOKEN}\n`),
  };
  const sidecar = await startMonitored(
    pod,
    {
      ...embedded(),
      GRPC_TLS_CERT: files.cert,
      GRPC_TLS_KEY: files.key,
      GRPC_TOKEN_FILE: files.tokens,
      ...env,
    },
    { tls: { ca: authority.cert }, token: TOKEN },
  );
  return { sidecar, files };
}

/** Repeats the steps in order until the running test ends. Failures of steps are intended. */
function repeat(...steps: readonly (() => unknown)[]): void {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      for (const step of steps) await Promise.resolve(step()).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  onTestFinished(async () => {
    isOver = true;
    await running;
  });
}

/** Opens mailboxes that acknowledge nothing, and sends more events to them than their queues can hold. */
async function openSlowConsumers(
  client: SpreadSidecar,
  sender: Mailbox,
  { count, maxEvents, bytes }: { count: number; maxEvents: number; bytes: number },
): Promise<void> {
  const group = `slow${maxEvents}`;
  for (let opened = 0; opened < count; opened++) {
    const slow = await client.connect({
      acknowledgement: 'EXPLICIT',
      queue: { maxEvents, softLimit: { fraction: 0.5, timeMs: 3_600_000 } },
    });
    await slow.join(group, { awaitView: true });
  }
  for (let sent = 0; sent < maxEvents + 10; sent++)
    await sender.multicast(AGREED_MESS, group, Buffer.alloc(bytes));
}

describe.skipIf(!isAvailable('prometheus'))('a Prometheus server', () => {
  it('has data for every query of the dashboard while the sidecar is under a flood', {
    timeout: 180_000,
  }, async () => {
    const { sidecar, files } = await startSecuredPod('flooded', {
      MAILBOX_MAX_GROUPS: '1',
      MAILBOX_PRIVATE_NAME_SEED: 'uid-of-the-pod',
    });
    const server = await PrometheusServer.start([sidecar]);
    const queries = chartQueries.map(({ of, expr }) => ({
      of,
      expr: withIntervals(expr, '10s', '1m').replaceAll('$namespace', 'apps').replaceAll('$pod', '.*'),
    }));
    const withoutData = async () => {
      const answers = await Promise.all(queries.map(({ expr }) => server.query(expr)));
      return queries.filter((_, at) => answers[at]!.length === 0).map(({ of }) => of);
    };
    const hasScraped = async () => (await server.query('count_over_time(up[10s]) > 4')).length === 1;
    await until(hasScraped, { timeoutMs: 30_000, what: 'Prometheus to scrape' });
    // Without clients, these queries have no data.
    expect(await withoutData()).toEqual(
      expect.arrayContaining([
        'Spread errors, A',
        'Reached limits, A',
        'Security rejections, A',
        'Fullest queues, A',
      ]),
    );

    const client = sidecar.client();
    const owner = await client.connect({ privateName: 'owner' });
    await owner.join('traffic', { awaitView: true });
    await openSlowConsumers(client, owner, { count: 1, maxEvents: 100, bytes: 10 });
    const stranger = sidecar.client({ token: 'another-token-0123456789' });
    let reloads = 0;
    repeat(
      () => owner.multicast(AGREED_MESS, 'traffic', 'message'),
      () => client.connect({ privateName: 'owner' }),
      () => owner.join('second', { awaitView: true }),
      () => stranger.connect(),
      () => put(files.tokens, `${TOKEN}\nfurther-token-0123456789-${reloads++}\n`),
    );
    const { target } = sidecar.options;
    const flood = startCli([
      ...['flood', '--quiet', '--target', target!, '--tls-ca', files.ca, '--token-file', files.tokens],
      ...['--seconds', '170', '--receivers', '2', '--rate', '2000'],
    ]);
    await until(async () => (await withoutData()).length === 0, { timeoutMs: 90_000 }).catch(async () => {
      throw new Error(`these queries have no data: ${(await withoutData()).join('; ')}\n${flood.stderr}`);
    });
    expect(await server.query(queries.find(({ of }) => of === 'Sidecars, A')!.expr)).toEqual([
      { metric: {}, value: 1 },
    ]);
    const [annotation] = dashboard.annotations.list;
    const restarts = annotation!.expr.replaceAll('$namespace', 'apps').replaceAll('$pod', '.*');
    expect(await server.query(restarts)).toEqual([]);
    await sidecar.restart();
    await until(async () => (await server.query(restarts)).length === 1, {
      timeoutMs: 20_000,
      what: 'the annotation of a restart',
    });
  });

  it('fires the alerts of the chart for the pods that have the problem, and none for a pod under a flood', {
    timeout: 240_000,
  }, async () => {
    const daemon = await RestartableDaemon.start();
    const healthy = await startMonitored('healthy', embedded());
    const lonely = await startMonitored('lonely', { DAEMON_ADDRESSES: daemon.address });
    const restarted = await startMonitored('restarted', embedded());
    const removed = await startMonitored('removed', embedded());
    const { sidecar: busy, files } = await startSecuredPod('busy', {
      EMBEDDED_MAX_SESSIONS: '14',
      MAILBOX_MAX_GROUPS: '1',
      MAILBOX_TOTAL_QUEUE_MAX_BYTES: '256KiB',
    });
    const pods = [healthy, lonely, restarted, busy];
    const server = await PrometheusServer.start([...pods, removed], acceleratedRules(ruleFile, ACCELERATION));
    startCli([
      ...['flood', '--quiet', '--target', healthy.options.target!],
      ...['--seconds', '230', '--rate', '500'],
    ]);
    const hasScraped = async () => (await server.query('count_over_time(up[10s]) > 4')).length === 5;
    await until(hasScraped, { timeoutMs: 30_000, what: 'Prometheus to scrape all pods' });

    const seen = new Set<string>();
    const collect = async () => {
      for (const { labels, state } of await server.alerts())
        if (state === 'firing')
          seen.add(`${labels.pod ?? labels.job} ${labels.alertname.slice('SpreadSidecar'.length)}`);
    };
    repeat(collect);

    const client = busy.client();
    const sender = await client.connect({ privateName: 'sender' });
    await openSlowConsumers(client, sender, { count: 1, maxEvents: 10, bytes: 10 });
    // A queue can be as large as the remaining memory, so six queues together reach six sevenths of it.
    await openSlowConsumers(client, sender, { count: 6, maxEvents: 100, bytes: 2500 });
    put(files.cert, 'no certificate');
    const stranger = busy.client({ token: 'another-token-0123456789' });
    repeat(
      () => stranger.connect(),
      () => sender.join('first').then(() => sender.join('second')),
      () => client.connect({ leaseMs: 1000, keepAlive: false }),
    );

    const lonelyClient = lonely.client();
    await lonelyClient.connect({ reconnect: { giveUpAfterMs: 200 } });
    await lonelyClient.connect({ reconnect: { giveUpAfterMs: 3_600_000 } });
    await lonelyClient.connect();
    await daemon.stop();
    repeat(() => lonelyClient.connect());

    await server.scrape(pods);
    for (let count = 0; count < 4; count++) {
      const [start] = await server.query('process_start_time_seconds{pod="restarted"}');
      // The metric has full seconds, so Prometheus does not see a restart within the second of the start.
      await until(() => Date.now() / 1000 >= start!.value + 1, { what: 'the next second' });
      await restarted.restart();
      const isSeen = async () => {
        const [now] = await server.query('process_start_time_seconds{pod="restarted"}');
        return now !== undefined && now.value !== start?.value;
      };
      await until(isSeen, { timeoutMs: 20_000, what: 'Prometheus to see the restart' });
    }

    const expected = [
      'busy CertificateExpiresSoon',
      'busy CredentialsNotLoaded',
      'busy DaemonFull',
      'busy LeasesExpire',
      'busy LimitReached',
      'busy MailboxesPaused',
      'busy MemoryNearBound',
      'busy QueueNearBound',
      'busy Refusals',
      'busy SlowConsumers',
      'busy SoftLimit',
      'lonely ConnectsFail',
      'lonely DaemonUnreachable',
      'lonely Errors',
      'lonely MailboxesEnded',
      'lonely ReconnectGivenUp',
      'lonely Reconnecting',
      'removed Absent',
      'restarted Restarts',
    ];
    const missing = () => expected.filter((alert) => !seen.has(alert));
    const haveFired = () => missing().length === 0;
    await until(haveFired, { timeoutMs: 120_000 }).catch(() => {
      throw new Error(`these alerts have not fired: ${missing().join(', ')}; fired: ${[...seen].join(', ')}`);
    });
    await restarted.process.end();
    expected.push('restarted Down');
    await until(haveFired, { timeoutMs: 60_000, what: 'restarted Down to fire' });
    // Too little processor time is a problem of the machine that runs this test.
    const ofMachine = ['EventLoopLag', 'SlowMulticasts'];
    expect(
      [...seen].filter((alert) => alert.startsWith('healthy ') && !ofMachine.includes(alert.slice(8))),
    ).toEqual([]);
  });
});
