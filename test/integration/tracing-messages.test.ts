import { Metadata } from '@grpc/grpc-js';
import type { Event, MulticastMessage } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultConfig } from '../../server/src/config/index.js';
import { startTracing } from '../../server/src/tracing/open-telemetry.js';
import { type Environment, tracingSettings } from '../../server/src/tracing/tracing-settings.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call, message, Sending, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { type CollectedSpan, OtlpCollector } from '../support/tracing/otlp-collector.js';
import { until } from '../support/until.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${CALLER}-01`;
const UNSAMPLED = `00-${TRACE}-${CALLER}-00`;
/** Spread's limit of a payload to one group. */
const MAX_PAYLOAD = 143_151 - 32;

interface Setup extends SidecarFixtureOptions {
  readonly environment?: Environment;
  /** Default: a collector of the test. */
  readonly endpoint?: string;
}

/** A sidecar with tracing, and a mailbox in the group room. */
async function setUp({ environment = {}, endpoint, ...fixture }: Setup = {}) {
  const collector = await OtlpCollector.start();
  const url = endpoint ?? collector.httpUrl;
  const config = { ...defaultConfig().tracing, exporter: 'otlp-http' as const, endpoint: url };
  const settings = tracingSettings(config, { OTEL_BSP_SCHEDULE_DELAY: '10', ...environment })!;
  const problems: string[] = [];
  const tracing = await startTracing(settings, '1.2.3', (problem) => problems.push(problem));
  onTestFinished(() => tracing.shutdown(1000));
  const sidecar = await startSidecar({ tracing: tracing.spans, ...fixture });
  const mailbox = await TestMailbox.open(sidecar.client);
  await mailbox.call('join', { group: 'room', awaitView: true });
  const receiving = mailbox.receive();
  onTestFinished(() => receiving.cancel());
  /** The first `count` regular messages. */
  const messages = async (count: number) => {
    await until(() => regular(receiving.events).length >= count, { what: `${count} messages` });
    return regular(receiving.events);
  };
  /** The spans with this name, once there are `count`. */
  const spans = async (name: string, count = 1) => {
    const found = () => collector.spans.filter((span) => span.name === name);
    await until(() => found().length >= count, { what: `${count} spans ${name}`, timeoutMs: 10_000 });
    return found();
  };
  /** All spans, after the export of those that have ended. */
  const allSpans = async () => {
    await tracing.shutdown(5000);
    return collector.spans;
  };
  return { sidecar, mailbox, messages, spans, allSpans, problems };
}

const regular = (events: readonly Event[]) =>
  events.flatMap(({ kind }) => (kind?.$case === 'regularMessage' ? [kind.value] : []));
const headers = (fields: Record<string, string>): Partial<MulticastMessage> => ({
  headers: new Map(Object.entries(fields)),
});
const traceOf = ({ traceId, spanId }: CollectedSpan, flags = '01') => `00-${traceId}-${spanId}-${flags}`;

describe('the parent of a sent message', () => {
  it('is the trace in the headers of the message', async () => {
    const { mailbox, messages, spans } = await setUp();
    await mailbox.send('room', 'x', headers({ traceparent: SAMPLED, tracestate: 'vendor=1', other: 'kept' }));
    const [producer] = await spans('send room');
    const [consumer] = await spans('receive room');
    expect(producer).toMatchObject({ traceId: TRACE, parentId: CALLER, kind: 'producer' });
    expect(consumer).toMatchObject({ traceId: TRACE, parentId: producer!.spanId, kind: 'consumer' });
    const [received] = await messages(1);
    expect(Object.fromEntries(received!.headers)).toEqual({
      traceparent: traceOf(producer!),
      tracestate: 'vendor=1',
      other: 'kept',
    });
  });

  it('is the span of a unary call, which continues the trace of its metadata', async () => {
    const { sidecar, mailbox, spans } = await setUp();
    const metadata = { traceparent: SAMPLED, baggage: 'user=7' };
    await call(
      sidecar.client,
      'multicast',
      { mailboxId: mailbox.id, message: message('room', 'x') },
      { metadata },
    );
    const [server] = await spans('spread.sidecar.v1.MailboxService/Multicast');
    const [producer] = await spans('send room');
    expect(server).toMatchObject({ traceId: TRACE, parentId: CALLER, kind: 'server', isError: false });
    expect(producer).toMatchObject({ traceId: TRACE, parentId: server!.spanId });
  });

  it('is the trace in the metadata of a stream, which has no span of its own', async () => {
    const { sidecar, mailbox, messages, spans, allSpans } = await setUp();
    const metadata = new Metadata();
    metadata.set('traceparent', SAMPLED);
    metadata.set('baggage', 'user=7');
    const stream = new Sending(sidecar.client.multicastStream(metadata), mailbox.id);
    stream.batch(message('room', 'one'), message('room', 'two', headers({ baggage: 'own=1' })));
    await stream.decided(2);
    await stream.finish();
    const producers = await spans('send room', 2);
    for (const producer of producers) {
      expect(producer).toMatchObject({ traceId: TRACE, parentId: CALLER });
      expect(producer.attributes['messaging.batch.message_count']).toBe(2);
    }
    const received = await messages(2);
    expect(received.map(({ headers: fields }) => fields.get('baggage'))).toEqual(['user=7', 'own=1']);
    expect(received.map(({ headers: fields }) => fields.get('traceparent'))).toEqual(
      producers.map((producer) => traceOf(producer)),
    );
    await spans('receive room', 2);
    expect((await allSpans()).some(({ name }) => name.includes('Stream') || name.includes('Receive'))).toBe(
      false,
    );
  });

  it('is none if neither has a trace, or if the trace is not valid', async () => {
    const { mailbox, spans, messages } = await setUp();
    await mailbox.send('room', 'x', headers({ traceparent: 'not a trace', tracestate: 'stale=1' }));
    const [server] = await spans('spread.sidecar.v1.MailboxService/Multicast');
    const [producer] = await spans('send room');
    expect(server!.parentId).toBe('');
    expect(producer).toMatchObject({ traceId: server!.traceId, parentId: server!.spanId });
    const [received] = await messages(1);
    expect(Object.fromEntries(received!.headers)).toEqual({ traceparent: traceOf(producer!) });
  });
});

describe('the name and attributes of a span', () => {
  it('name no private group', async () => {
    const { mailbox, spans } = await setUp();
    await mailbox.send(mailbox.privateGroup, 'x', headers({ 'correlation-id': '42' }));
    const [producer] = await spans('send');
    expect(producer!.attributes).toMatchObject({
      'messaging.destination.name': mailbox.privateGroup,
      'messaging.destination.temporary': true,
      'messaging.message.conversation_id': '42',
    });
  });

  it('list several groups', async () => {
    const { mailbox, spans } = await setUp();
    await mailbox.send(['room', 'hall'], 'x');
    const [producer] = await spans('send');
    expect(producer!.attributes['messaging.spread.groups']).toEqual(['room', 'hall']);
    expect(producer!.attributes).not.toHaveProperty('messaging.destination.name');
  });

  it('have the reason of a rejected message', async () => {
    const { mailbox, spans } = await setUp();
    expect(await failureOf(mailbox.send('a b', 'x'))).toMatchObject({ info: { reason: 'ILLEGAL_GROUP' } });
    const stream = mailbox.stream();
    stream.batch(message('room', 'x', headers({ 'not allowed': '' })), message('room', 'y'));
    await stream.decided(2);
    const [unary] = await spans('send a b');
    expect(unary).toMatchObject({ isError: true });
    expect(unary!.attributes['error.type']).toBe('ILLEGAL_GROUP');
    const [rejected, sent] = await spans('send room', 2);
    expect(rejected!.attributes['error.type']).toBe('HEADER_NAME_INVALID');
    expect(rejected!.isError).toBe(true);
    expect(sent!.isError).toBe(false);
  });
});

describe('a message that would exceed a limit with its trace', () => {
  it('is sent without the trace if its headers are full', async () => {
    const { mailbox, messages, spans } = await setUp();
    // 3 bytes for the header, and 1 for its name.
    const full = { x: 'v'.repeat(8192 - 4) };
    await mailbox.send('room', 'full', headers(full));
    const nearlyFull = { x: 'v'.repeat(8192 - 4 - 3 - 11 - 55) };
    await mailbox.send('room', 'nearly full', headers(nearlyFull));
    const [first, second] = await messages(2);
    expect(Object.fromEntries(first!.headers)).toEqual(full);
    const [, producer] = await spans('send room', 2);
    expect(Object.fromEntries(second!.headers)).toEqual({ ...nearlyFull, traceparent: traceOf(producer!) });
  });

  it('is sent without the trace if its payload is large', async () => {
    const { mailbox, messages } = await setUp();
    const envelope = 10 + 3 + 11 + 55;
    for (const bytes of [MAX_PAYLOAD, MAX_PAYLOAD - envelope + 1, MAX_PAYLOAD - envelope])
      await mailbox.send('room', Buffer.alloc(bytes, 1));
    const received = await messages(3);
    expect(received.map(({ headers: fields }) => fields.size)).toEqual([0, 0, 1]);
    expect(received.map(({ payload }) => payload.length)).toEqual([
      MAX_PAYLOAD,
      MAX_PAYLOAD - envelope + 1,
      MAX_PAYLOAD - envelope,
    ]);
  });

  it('is rejected only for its own size', async () => {
    const { mailbox } = await setUp();
    const plain = await failureOf(mailbox.send('room', Buffer.alloc(MAX_PAYLOAD + 1)));
    expect(plain).toMatchObject({ info: { reason: 'MESSAGE_TOO_LONG' } });
    expect(plain.details).toContain(`it may have at most ${MAX_PAYLOAD} bytes`);
    const large = await failureOf(mailbox.send('room', 'x', headers({ x: 'v'.repeat(8192) })));
    expect(large).toMatchObject({ info: { reason: 'HEADERS_TOO_LARGE' } });
    expect(large.details).toContain('headers have 8196 bytes');
  });
});

it('messages pass unchanged while headers are off, and their spans have no link', async () => {
  const { mailbox, messages, spans } = await setUp({ headers: 'off' });
  await mailbox.send('room', 'x');
  const [received] = await messages(1);
  expect(received!.headers.size).toBe(0);
  expect(received!.payload.toString()).toBe('x');
  const [consumer] = await spans('receive room');
  expect(consumer).toMatchObject({ parentId: '', links: [] });
});

describe('sampling', () => {
  it('follows the parent', async () => {
    const { mailbox, messages, spans, allSpans } = await setUp({
      environment: { OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
    });
    await mailbox.send('room', 'unsampled', headers({ traceparent: UNSAMPLED }));
    await mailbox.send('room', 'sampled', headers({ traceparent: SAMPLED }));
    await mailbox.send('room', 'of no trace');
    const received = await messages(3);
    await spans('receive room');
    const flags = received.map(({ headers: fields }) => fields.get('traceparent')?.slice(-2));
    expect(flags).toEqual(['00', '01', '00']);
    expect((await allSpans()).map(({ name, traceId }) => `${name} ${traceId}`)).toEqual([
      `send room ${TRACE}`,
      `receive room ${TRACE}`,
    ]);
  });
});

it('a full queue of spans discards spans and reports the number, and the messages continue', async () => {
  const { mailbox, messages, spans, allSpans, problems } = await setUp({
    environment: { OTEL_BSP_MAX_QUEUE_SIZE: '5', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5' },
  });
  const stream = mailbox.stream();
  stream.batch(...Array.from({ length: 500 }, (_, n) => message('room', `${n}`)));
  await stream.decided(500);
  expect(await messages(500)).toHaveLength(500);
  await spans('send room');
  // The next span reports the discarded ones.
  await mailbox.send('room', 'last');
  await until(() => problems.some((problem) => /^Dropped \d+ spans because/.test(problem)));
  expect((await allSpans()).length).toBeLessThan(500);
});

it('a collector that does not answer is reported, and the messages continue', async () => {
  const { mailbox, messages, problems } = await setUp({
    environment: { OTEL_BSP_EXPORT_TIMEOUT: '50' },
    endpoint: 'http://127.0.0.1:9',
  });
  await mailbox.send('room', 'x');
  expect(await messages(1)).toHaveLength(1);
  await until(() => problems.length > 0, { what: 'a problem', timeoutMs: 10_000 });
});
