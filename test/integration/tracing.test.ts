import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { freePort, SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { type CollectedSpan, OtlpCollector } from '../support/tracing/otlp-collector.js';
import { startTracingExample } from '../support/tracing/tracing-example.js';
import { until, within } from '../support/until.js';

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
      const receiver = startTracingExample('python', ['receive', second.target]);
      await receiver.ready();
      const sender = startTracingExample('typescript', ['send', first.target]);
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

it('a sidecar exports its last spans at a graceful shutdown', { timeout: 30_000 }, async () => {
  const collector = await OtlpCollector.start();
  const daemon = await daemons.embedded();
  const args = ['--tracing-exporter', 'otlp-grpc', '--tracing-endpoint', collector.grpcUrl];
  const { process, target } = await startTraced('last', daemon, args, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
  const example = startTracingExample('typescript', ['send', target]);
  const sent = await example.ids('sent in');
  await example.ended;
  expect(collector.spans).toEqual([]);
  process.kill('SIGTERM');
  expect((await process.exited).code).toBe(0);
  expect(collector.spans.map(({ name, traceId }) => [name, traceId === sent.traceId])).toContainEqual([
    'send orders',
    true,
  ]);
});

it('a sidecar stops in time if its collector does not answer', { timeout: 30_000 }, async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const args = ['--tracing-exporter', 'otlp-http', '--tracing-endpoint', endpoint, '--drain-grace', '1s'];
  const { process, target } = await startTraced('silent', await daemons.embedded(), args);
  await startTracingExample('typescript', ['send', target]).ended;
  process.kill('SIGTERM');
  expect((await within(process.exited, 'the end of the sidecar', 5000)).code).toBe(0);
});
