import {
  AcknowledgeRequest,
  ConnectRequest,
  ConnectResponse,
  DisconnectRequest,
  GetMailboxRequest,
  GetVersionRequest,
  GetViewRequest,
  JoinRequest,
  LeaveRequest,
  ListMailboxesRequest,
  type MulticastMessage,
  MulticastRequest,
  MulticastStreamRequest,
  PollRequest,
  ReceiveRequest,
  ReceiveResponse,
  ServiceType,
} from 'spread-sidecar-proto';
import { expect, it } from 'vitest';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { until } from '../support/until.js';
import { CountedCalls } from './counted-calls.js';

const SERVICE = '/spread.sidecar.v1.MailboxService';
const HEALTH = '/grpc.health.v1.Health';
const REFLECTIONS = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);
const ADMIN = 'an-admin-token-for-the-test';
const MESSAGES = 200;

const encoded = <T>(type: { encode(message: T): { finish(): Uint8Array } }, message: T): Buffer =>
  Buffer.from(type.encode(message).finish());
const message = (text: string): MulticastMessage => ({
  serviceType: ServiceType.AGREED,
  groups: ['room'],
  payload: Buffer.from(text),
  messageType: 0,
  selfDiscard: false,
  headers: new Map(),
});

/** The values of one counter on /metrics, by method. */
function counter(page: string, name: string): Map<string, number> {
  const found = page.matchAll(
    new RegExp(`^${name}\\{.*?grpc_service="([^"]+)",grpc_method="([^"]+)"\\} (\\d+)$`, 'gm'),
  );
  return new Map([...found].map(([, service, method, value]) => [`/${service}/${method}`, Number(value)]));
}

it('the sidecar counts every message of every type of call', async () => {
  const sidecar = await startSecured({ ADMIN_TOKEN: ADMIN });
  const calls = CountedCalls.connect(sidecar.targets[0]!);

  const connected = await calls.unary(
    `${SERVICE}/Connect`,
    encoded(ConnectRequest, ConnectRequest.fromPartial({})),
  );
  const { mailboxId } = ConnectResponse.decode(connected!);
  const receiving = calls.open(`${SERVICE}/Receive`);
  receiving.send(encoded(ReceiveRequest, ReceiveRequest.fromPartial({ mailboxId })));
  receiving.halfClose();
  await calls.unary(
    `${SERVICE}/Join`,
    encoded(JoinRequest, JoinRequest.fromPartial({ mailboxId, group: 'room' })),
  );

  // Each message is sent after the response to the one before, so that each arrives in its own batch.
  const events = () =>
    receiving.messages.reduce((sum, bytes) => {
      const { frame } = ReceiveResponse.decode(bytes);
      return sum + (frame?.$case === 'batch' ? frame.value.events.length : 0);
    }, 0);
  for (let i = 0; i < MESSAGES; i++) {
    const before = events();
    await calls.unary(
      `${SERVICE}/Multicast`,
      encoded(MulticastRequest, { mailboxId, message: message(`unary ${i}`) }),
    );
    await until(() => events() > before, { what: `message ${i}` });
  }

  const sending = calls.open(`${SERVICE}/MulticastStream`);
  sending.send(
    encoded(MulticastStreamRequest, {
      frame: { $case: 'open', value: { mailboxId, respondsOnRequest: false } },
    }),
  );
  for (let i = 0; i < MESSAGES; i++) {
    const messages = [message(`a ${i}`), message(`b ${i}`)];
    sending.send(
      encoded(MulticastStreamRequest, { frame: { $case: 'batch', value: { messages, respond: false } } }),
    );
  }
  await sending.end();
  await until(() => events() >= 3 * MESSAGES, { what: 'all messages' });
  await calls.unary(`${SERVICE}/Poll`, encoded(PollRequest, { mailboxId }));
  // A failed call has a request and no response.
  await calls.unary(`${SERVICE}/Poll`, encoded(PollRequest, { mailboxId: 'none' }));
  await calls.unary(
    `${SERVICE}/Acknowledge`,
    encoded(AcknowledgeRequest, AcknowledgeRequest.fromPartial({ mailboxId })),
  );

  const watching = calls.open(`${HEALTH}/Watch`);
  watching.send(Buffer.alloc(0));
  watching.halfClose();
  await calls.unary(`${HEALTH}/Check`, Buffer.alloc(0));
  await until(() => watching.messages.length === 1);
  watching.cancel();
  await calls.unary(`${HEALTH}/List`, Buffer.alloc(0));
  for (const [i, path] of REFLECTIONS.entries()) {
    const reflecting = calls.open(path);
    // list_services, three or four times.
    for (let sent = 0; sent < 3 + i; sent++) reflecting.send(Buffer.from([0x3a, 0]));
    await until(() => reflecting.messages.length === 3 + i, { what: `the answers of ${path}` });
    await reflecting.end();
  }
  const ofMailbox: [string, Buffer][] = [
    ['GetVersion', encoded(GetVersionRequest, {})],
    ['GetMailbox', encoded(GetMailboxRequest, { mailboxId })],
    ['GetView', encoded(GetViewRequest, { mailboxId, group: 'room' })],
    ['Leave', encoded(LeaveRequest, { mailboxId, group: 'room', awaitView: true })],
  ];
  for (const [method, request] of ofMailbox)
    expect(await calls.unary(`${SERVICE}/${method}`, request), method).toBeDefined();
  const list = encoded(ListMailboxesRequest, ListMailboxesRequest.fromPartial({}));
  const admin = { authorization: `Bearer ${ADMIN}` };
  expect(await calls.unary(`${SERVICE}/ListMailboxes`, list, admin)).toBeDefined();
  // Without the credential, the call has a request and no response.
  expect(await calls.unary(`${SERVICE}/ListMailboxes`, list)).toBeUndefined();
  await calls.unary(
    `${SERVICE}/Disconnect`,
    encoded(DisconnectRequest, DisconnectRequest.fromPartial({ mailboxId })),
  );
  await receiving.end();

  const page = await sidecar.metrics();
  const [sent, received] = ['grpc_server_msg_sent_total', 'grpc_server_msg_received_total'].map((name) =>
    counter(page, name),
  );
  const counted = [...calls.counts].map(([path]) => [path, received!.get(path), sent!.get(path)]);
  expect(counted).toEqual([...calls.counts].map(([path, count]) => [path, count.sent, count.received]));
  // The test covers every method of the page.
  expect([...calls.counts.keys()].sort()).toEqual([...sent!.keys()].sort());
  expect(calls.counts.get(`${SERVICE}/ListMailboxes`)).toEqual({ sent: 2, received: 1 });
  expect(calls.counts.get(`${SERVICE}/Receive`)!.received).toBeGreaterThan(MESSAGES);
  const handled = [
    ...page.matchAll(
      /^grpc_server_handled_total\{.*?grpc_method="Poll",grpc_code="(OK|NotFound)"\} (\d+)$/gm,
    ),
  ];
  expect(handled.map(([, code, value]) => [code, value])).toEqual([
    ['OK', '1'],
    ['NotFound', '1'],
  ]);
});

it('the sidecar serves its metrics as OpenMetrics to scrapers that prefer it', async () => {
  const sidecar = await startSecured({});
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
  const response = await fetch(`http://${sidecar.admin}/metrics`, { headers: { accept } });
  expect(response.headers.get('content-type')).toBe(
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  const page = await response.text();
  expect(page).toMatch(/\n# EOF\n$/);
  expect(page).toContain('# TYPE grpc_server_started counter\n');
  // Without the preference, the page still has the text format.
  const text = await sidecar.metrics();
  expect(text).toContain('# TYPE grpc_server_started_total counter\n');
  expect(text).not.toContain('# EOF');
});

it.each([
  ['neither page', {}, []],
  [
    'both pages',
    { ADMIN_QUITQUITQUIT: 'true', ADMIN_FAILURE_INJECTION: 'true' },
    ['/quitquitquit', '/drop-mailbox'],
  ],
  [
    'both pages and a token',
    {
      ADMIN_QUITQUITQUIT: 'true',
      ADMIN_FAILURE_INJECTION: 'true',
      ADMIN_TOKEN: 'an-admin-token-for-the-test',
    },
    [],
  ],
])('the sidecar with %s warns about methods that need no token', async (_, env, pages) => {
  const sidecar = await startSecured(env);
  const lines = sidecar
    .log()
    .split('\n')
    .filter((line) => line.includes('without an admin token'));
  expect(lines.flatMap((line) => (JSON.parse(line) as { pages: string[] }).pages)).toEqual(pages);
});
