import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Client, clients } from '../../scripts/clients/index.mjs';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { freePort, SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { type CollectedSpan, OtlpCollector } from '../support/tracing/otlp-collector.js';
import { until } from '../support/until.js';

/** A sidecar process that exports its spans soon. */
async function startTraced(
  service: string,
  daemon: string,
  args: string[],
  env: Record<string, string> = {},
) {
  const [grpc, admin] = [await freePort(), await freePort()];
  const process = new SidecarProcess(
    [
      ...['--grpc-listen', `127.0.0.1:${grpc}`, '--admin-listen', `127.0.0.1:${admin}`],
      ...['--daemon-addresses', daemon, '--log-format', 'json', '--log-level', 'debug', ...args],
    ],
    { OTEL_SERVICE_NAME: service, OTEL_BSP_SCHEDULE_DELAY: '20', ...env },
  );
  await process.ready(admin);
  return { process, target: `127.0.0.1:${grpc}` };
}

/** A running tracing example of a client. */
function startExample(language: string, args: readonly string[]) {
  const client = clients.find((one) => one.language === language) as Required<Client>;
  const { command, args: all, cwd, env } = client.example('tracing', args);
  const child = spawn(command, all, { cwd, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  /** The IDs that the example prints after these words. */
  const ids = async (words: string) => {
    const pattern = new RegExp(`^${words} ([0-9a-f]{32}) ([0-9a-f]{16})(?: after ([0-9a-f]{16}))?$`, 'm');
    await until(() => pattern.test(output) || (child.exitCode ?? 0) > 0, {
      timeoutMs: 20_000,
      what: `${language} prints "${words}"`,
    });
    const [, traceId, spanId, after] = pattern.exec(output) ?? [];
    expect(traceId, output).toBeDefined();
    return { traceId, spanId, after };
  };
  const ready = () =>
    until(() => output.includes('ready\n'), { timeoutMs: 20_000, what: `${language} is ready` });
  return { ids, ready };
}

const daemons = {
  embedded: async () => `${(await startEmbeddedDaemon({ name: 'node' })).tcp.port}@127.0.0.1`,
  real: async () => {
    const spread = await RealSpread.start();
    onTestFinished(() => spread.stop());
    return `${spread.port}@127.0.0.1`;
  },
};

describe.each(['embedded', 'real'] as const)('a trace through the %s daemon', (kind) => {
  it.skipIf(!isAvailable('python-opentelemetry') || (kind === 'real' && !isAvailable('spread-home')))(
    'spans a TypeScript sender, two sidecars and a Python receiver',
    { timeout: 60_000 },
    async () => {
      const collector = await OtlpCollector.start();
      const daemon = await daemons[kind]();
      const overGrpc = ['--tracing-exporter', 'otlp-grpc', '--tracing-endpoint', collector.grpcUrl];
      const first = await startTraced('first', daemon, overGrpc);
      const second = await startTraced('second', daemon, [], {
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      });
      const receiver = startExample('python', ['receive', second.target]);
      await receiver.ready();
      const sender = startExample('typescript', ['send', first.target]);
      const sent = await sender.ids('sent in');
      const received = await receiver.ids('received in');

      const ofTrace = (name: string) => (span: CollectedSpan) =>
        span.traceId === sent.traceId && span.name === name;
      const producer = await collector.span('send', ofTrace('send orders'));
      const consumer = await collector.span('receive', ofTrace('receive orders'));
      expect(producer).toEqual({
        service: 'first',
        name: 'send orders',
        kind: 'producer',
        traceId: sent.traceId,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        parentId: sent.spanId,
        links: [],
        attributes: {
          'messaging.system': 'spread',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'orders',
          'messaging.client.id': expect.stringMatching(/^#send#/),
          'messaging.message.body.size': 'one coffee'.length,
        },
        resource: expect.objectContaining({
          'service.name': 'first',
          'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
          'service.instance.id': expect.any(String),
        }),
        isError: false,
        milliseconds: expect.any(Number),
      });
      expect(consumer).toEqual({
        service: 'second',
        name: 'receive orders',
        kind: 'consumer',
        traceId: sent.traceId,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        parentId: producer.spanId,
        links: [{ traceId: sent.traceId, spanId: producer.spanId }],
        attributes: {
          'messaging.system': 'spread',
          'messaging.operation.name': 'receive',
          'messaging.operation.type': 'receive',
          'messaging.destination.name': 'orders',
          'messaging.client.id': expect.stringMatching(/^#receive#/),
          'messaging.spread.sender': expect.stringMatching(/^#send#/),
          'messaging.message.body.size': 'one coffee'.length,
        },
        resource: expect.objectContaining({ 'deployment.environment.name': 'test' }),
        isError: false,
        milliseconds: expect.any(Number),
      });
      expect(received).toEqual({ traceId: sent.traceId, spanId: expect.any(String), after: producer.spanId });
      expect(consumer.milliseconds).toBeGreaterThanOrEqual(0);
      expect(collector.spans.filter(({ traceId }) => traceId === sent.traceId)).toHaveLength(2);

      // The calls of both clients have spans too. Their clients send no trace, so each starts its own.
      const isConnect = ({ name }: CollectedSpan) => name.endsWith('/Connect');
      await until(() => collector.spans.filter(isConnect).length >= 2, { what: 'the spans of Connect' });
      const connects = collector.spans.filter(isConnect);
      expect(connects.map(({ service, kind, parentId }) => [service, kind, parentId]).sort()).toEqual([
        ['first', 'server', ''],
        ['second', 'server', ''],
      ]);
      expect(connects[0]?.attributes).toEqual({
        'rpc.system': 'grpc',
        'rpc.service': 'spread.sidecar.v1.MailboxService',
        'rpc.method': 'Connect',
        'rpc.grpc.status_code': 0,
      });
      const opened = first.process.stderr.split('\n').find((line) => line.includes('mailbox opened')) ?? '{}';
      const connect = connects.find(({ service }) => service === 'first');
      expect(JSON.parse(opened)).toMatchObject({ trace_id: connect?.traceId, span_id: connect?.spanId });
    },
  );
});
