import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailboxServiceService } from '../../server/src/gen/spread/sidecar/v1/mailbox_service.js';
import { ServiceType } from '../../server/src/gen/spread/sidecar/v1/types.js';
import { type BadInput, type Rpc, startBadInputScene } from './bad-input.js';

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
const METHODS = Object.keys(MailboxServiceService) as Rpc[];

const rows: BadInput[] = [];

/** Rows of one RPC that share a reason. */
function refuse(
  rpc: Rpc,
  reason: string,
  of: Partial<Pick<BadInput, 'says' | 'field' | 'code' | 'metadata'>>,
  cases: Record<string, BadInput['request']>,
): void {
  for (const [what, request] of Object.entries(cases)) {
    rows.push({ rpc, what, request, reason, code: status.INVALID_ARGUMENT, says: [], ...of });
  }
}

// ---- every RPC: bytes that are no message of the contract

const TRUNCATED = Buffer.from([0x0a, 0x7f, 0x61]);
const CUT_TAG = Buffer.from([0x80]);
for (const rpc of METHODS) {
  const of = { says: ['not a message of this contract'] };
  refuse(rpc, 'MALFORMED_REQUEST', of, {
    'a field that goes on past the end': TRUNCATED,
    'half a tag': CUT_TAG,
  });
}
for (const rpc of METHODS.filter(
  (name) => !['getVersion', 'multicastStream', 'listMailboxes'].includes(name),
)) {
  const of = { says: ['not a message of this contract', 'UTF-8'] };
  refuse(rpc, 'MALFORMED_REQUEST', of, { 'a string that is not UTF-8': Buffer.from([0x0a, 2, 0xc3, 0x28]) });
}

// ---- every RPC on a mailbox: which one

for (const rpc of METHODS.filter((name) => !['connect', 'listMailboxes', 'getVersion'].includes(name))) {
  const stream = rpc === 'multicastStream';
  const id = (mailboxId: string) =>
    stream ? { frames: [{ $case: 'open', value: { mailboxId } }] } : { mailboxId, group: 'chat' };
  const field = stream ? 'open.mailbox_id' : 'mailbox_id';
  refuse(rpc, 'FIELD_REQUIRED', { says: [`${field} is required`], field }, { 'no mailbox_id': id('') });
  if (rpc === 'disconnect') continue;
  const unknown = {
    code: status.NOT_FOUND,
    says: ['does not know the mailbox', 'its lease expired, or the sidecar restarted; connect again'],
  };
  refuse(rpc, 'ILLEGAL_SESSION', unknown, {
    'a mailbox that never was': id('0123456789abcdef0123456789abcdef'),
    'no id at all': id('../../etc/passwd\u0000\u{1f600}'),
    'a mailbox that has gone': (scene) => id(scene.goneId) as object,
  });
}

// ---- Connect

refuse(
  'connect',
  'ILLEGAL_SPREAD',
  { says: ['daemon', '<port>@<host>'], field: 'daemon' },
  {
    'a daemon without a port': { daemon: 'example.org' },
    'host and port the other way round': { daemon: 'example.org:4803' },
    'an illegal host': { daemon: '4803@exa mple' },
    'a host that is not ASCII': { daemon: '4803@bücher' },
  },
);
refuse(
  'connect',
  'ILLEGAL_SPREAD',
  { says: ['daemon', 'no IPv6 address'], field: 'daemon' },
  { 'a half bracket': { daemon: '4803@[::1' } },
);
refuse(
  'connect',
  'ILLEGAL_SPREAD',
  { says: ['daemon', 'not the path of a socket'], field: 'daemon' },
  { 'a NUL in a path': { daemon: '/tmp/4803\0' } },
);
refuse(
  'connect',
  'ILLEGAL_SPREAD',
  { says: ['daemon', 'from 1 to 65535'], field: 'daemon' },
  {
    'port 0': { daemon: '0@localhost' },
    'port 65536': { daemon: '65536@localhost' },
  },
);
refuse(
  'connect',
  'ILLEGAL_SPREAD',
  { says: ['daemon', '300 bytes'], field: 'daemon' },
  {
    'a daemon of 301 bytes': { daemon: `4803@${'x'.repeat(296)}` },
    'a daemon of a megabyte': { daemon: 'x'.repeat(1_000_000) },
  },
);
refuse(
  'connect',
  'DAEMON_NOT_ALLOWED',
  { code: status.PERMISSION_DENIED, says: ['daemon', 'allow-list'], field: 'daemon' },
  {
    'another host': { daemon: '4803@192.0.2.1' },
    'a socket of the file system': { daemon: '/var/run/docker.sock' },
    'the default socket, which is not configured': { daemon: '4803' },
  },
);
refuse(
  'connect',
  'REJECT_ILLEGAL_NAME',
  { says: ['private_name "xxxxxxxxxx', 'must have at most 10 bytes'], field: 'private_name' },
  {
    'a name of 11 characters': { privateName: 'x'.repeat(11) },
    'a name of 100,000 characters': { privateName: 'x'.repeat(100_000) },
  },
);
refuse(
  'connect',
  'REJECT_ILLEGAL_NAME',
  { says: ['private_name', "0x24 '$' to 0x7e '~'"], field: 'private_name' },
  {
    'a name with #': { privateName: 'a#b' },
    'a name with a blank': { privateName: 'a b' },
    'a name with a NUL': { privateName: 'a\0' },
    'a name with DEL': { privateName: 'a\x7f' },
    'a name with a byte above 0x7f': { privateName: 'jürgen' },
    'a name beyond Latin-1': { privateName: '名前' },
    'a name beyond the basic plane': { privateName: '\u{1f600}' },
  },
);
refuse(
  'connect',
  'FIELD_INVALID',
  {
    says: ['on_name_conflict', 'NAME_CONFLICT_POLICY_FAIL, NAME_CONFLICT_POLICY_SUFFIX'],
    field: 'on_name_conflict',
  },
  {
    'on_name_conflict 3': { onNameConflict: 3 },
    'on_name_conflict -1': { onNameConflict: -1 },
  },
);
refuse(
  'connect',
  'FIELD_INVALID',
  { says: ['acknowledgement', 'ACKNOWLEDGEMENT_AUTO, ACKNOWLEDGEMENT_EXPLICIT'], field: 'acknowledgement' },
  {
    'acknowledgement 3': { acknowledgement: 3 },
    'acknowledgement of the smallest int32': { acknowledgement: -2_147_483_648 },
  },
);
refuse(
  'connect',
  'FIELD_INVALID',
  { says: ['queue.overflow', 'OVERFLOW_POLICY_PAUSE, OVERFLOW_POLICY_DISCONNECT'], field: 'queue.overflow' },
  {
    'overflow 3': { queue: { overflow: 3 } },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['priority', '0 to 1'], field: 'priority' },
  {
    'priority 2': { priority: 2 },
    'the largest priority': { priority: 4_294_967_295 },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['lease', '1 s to 1 h'], field: 'lease' },
  {
    'no lease at all': { lease: { seconds: 0n } },
    'a lease just below': { lease: { nanos: 999_999_999 } },
    'a lease just above': { lease: { seconds: 3600n, nanos: 1 } },
    'a negative lease': { lease: { seconds: -5n } },
    'a lease of two signs': { lease: { seconds: 5n, nanos: -1 } },
    'a lease with too many nanos': { lease: { seconds: 5n, nanos: 1_000_000_000 } },
    'a lease beyond any Duration': { lease: { seconds: INT64_MAX } },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['queue.max_events', '1 to 1000000 events'], field: 'queue.max_events' },
  {
    'one event too many': { queue: { maxEvents: 1_000_001n } },
    'the largest number of events': { queue: { maxEvents: UINT64_MAX } },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['queue.max_bytes', '1 to 67108864 bytes'], field: 'queue.max_bytes' },
  {
    'one byte too many': { queue: { maxBytes: 67_108_865n } },
    'the largest number of bytes': { queue: { maxBytes: UINT64_MAX } },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['queue.replay_bytes', '1 to 4194304 bytes'], field: 'queue.replay_bytes' },
  {
    'a replay window that is one byte too large': { queue: { replayBytes: 4_194_305n } },
    'a replay window of 2^53': { queue: { replayBytes: 2n ** 53n } },
  },
);
refuse(
  'connect',
  'LIMIT_OUT_OF_RANGE',
  { says: ['reconnect.give_up_after', '100 ms to 24 h'], field: 'reconnect.give_up_after' },
  {
    'a give_up_after that is too short': {
      reconnect: { enabled: true, giveUpAfter: { seconds: 0n, nanos: 99_999_999 } },
    },
    'a give_up_after that is too long': {
      reconnect: { enabled: true, giveUpAfter: { seconds: 86_400n, nanos: 1 } },
    },
  },
);
refuse(
  'connect',
  'FIELD_INVALID',
  { says: ['NAME_LOSS_POLICY_END'], field: 'reconnect.on_name_loss' },
  {
    'a name loss policy that nobody knows': { reconnect: { enabled: true, onNameLoss: 99 } },
  },
);

// ---- Disconnect

refuse(
  'disconnect',
  'FIELD_INVALID',
  { says: ['leave_groups_first', 'abort'], field: 'leave_groups_first' },
  {
    'leave_groups_first together with abort': ({ id }) => ({
      mailboxId: id,
      leaveGroupsFirst: true,
      abort: true,
    }),
  },
);

// ---- Join, Leave, GetView: the group

for (const rpc of ['join', 'leave', 'getView'] as const) {
  const group =
    (name: string): BadInput['request'] =>
    ({ id }) => ({ mailboxId: id, group: name });
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['group', '1 to 31 bytes'], field: 'group' },
    {
      'no group': group(''),
      'a group of 32 characters': group('x'.repeat(32)),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['group', "0x24 '$' to 0x7e '~'"], field: 'group' },
    {
      'a private group': group('#alice#node1'),
      'a group with a NUL': group('chat\0'),
      'a group with a blank': group('a b'),
      'a group with a line break': group('a\nb'),
      'a group with a byte above 0x7f': group('caf\u00e9'),
      'a group beyond Latin-1': group('группа'),
    },
  );
}
for (const rpc of ['join', 'leave'] as const) {
  refuse(
    rpc,
    'MEMBERSHIP_OFF',
    { code: status.FAILED_PRECONDITION, says: ['membership'] },
    {
      'await_view without membership': ({ membershipOffId: mailboxId }) => ({
        mailboxId,
        group: 'chat',
        awaitView: true,
      }),
    },
  );
}
refuse(
  'getView',
  'MEMBERSHIP_OFF',
  { code: status.FAILED_PRECONDITION, says: ['membership'] },
  {
    'without membership': ({ membershipOffId: mailboxId }) => ({ mailboxId, group: 'chat' }),
  },
);
refuse(
  'getView',
  'NO_VIEW',
  { code: status.NOT_FOUND, says: ['group'] },
  {
    'a group that the mailbox is not in': ({ id }) => ({ mailboxId: id, group: 'elsewhere' }),
  },
);

// ---- Multicast and MulticastStream: the message

refuse(
  'multicast',
  'FIELD_REQUIRED',
  { says: ['message is required'], field: 'message' },
  {
    'no message': ({ id }) => ({ mailboxId: id }),
  },
);
const groups = (count: number) => Array.from({ length: count }, (_, i) => `g${i}`);
for (const rpc of ['multicast', 'multicastStream'] as const) {
  const message =
    (fields: object): BadInput['request'] =>
    ({ id }) => {
      const whole = {
        serviceType: ServiceType.AGREED,
        groups: ['chat'],
        payload: Buffer.from('x'),
        ...fields,
      };
      return rpc === 'multicast' ? { mailboxId: id, message: whole } : whole;
    };
  refuse(
    rpc,
    'ILLEGAL_SERVICE',
    { says: ['service_type', 'UNRELIABLE, RELIABLE, FIFO, CAUSAL, AGREED, SAFE'], field: 'service_type' },
    {
      'no service': message({ serviceType: 0 }),
      'service 7': message({ serviceType: 7 }),
      'service -1': message({ serviceType: -1 }),
      "service 16, which is Spread's own bit for AGREED": message({ serviceType: 16 }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups', '1 to 43'], field: 'groups' },
    {
      'no group': message({ groups: [] }),
      '44 groups': message({ groups: groups(44) }),
      '10,000 groups': message({ groups: groups(10_000) }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups[1]', '1 to 31 bytes'], field: 'groups[1]' },
    {
      'an empty group among others': message({ groups: ['chat', ''] }),
      'a group of 32 characters among others': message({ groups: ['chat', 'x'.repeat(32)] }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_GROUP',
    { says: ['groups[0]', "0x24 '$' to 0x7e '~'"], field: 'groups[0]' },
    {
      'a group with a NUL': message({ groups: ['a\0b'] }),
      'a group with a byte above 0x7f': message({ groups: ['z\u00fcrich'] }),
      'a group beyond Latin-1': message({ groups: ['東京'] }),
      'half a private group': message({ groups: ['#alice'] }),
      'a private group of three parts': message({ groups: ['#alice#node1#x'] }),
      'a private group whose name is too long': message({ groups: ['#alice678901#node1'] }),
      'a private group beyond Latin-1': message({ groups: ['#名#node1'] }),
    },
  );
  refuse(
    rpc,
    'MESSAGE_TOO_LONG',
    { says: ['payload', '143119 bytes'], field: 'payload' },
    {
      'one byte more than one group may get': message({ payload: Buffer.alloc(143_120) }),
      'a megabyte': message({ payload: Buffer.alloc(1_000_000) }),
    },
  );
  refuse(
    rpc,
    'MESSAGE_TOO_LONG',
    { says: ['payload', '141775 bytes'], field: 'payload' },
    {
      'one byte more than 43 groups may get': message({ groups: groups(43), payload: Buffer.alloc(141_776) }),
    },
  );
  refuse(
    rpc,
    'ILLEGAL_MESSAGE',
    { says: ['message_type', 'from -32768 to 32767'], field: 'message_type' },
    {
      'message_type 32768': message({ messageType: 32_768 }),
      'message_type -32769': message({ messageType: -32_769 }),
      'the largest int32': message({ messageType: 2_147_483_647 }),
    },
  );
}
refuse(
  'multicastStream',
  'FIELD_INVALID',
  { says: ['frame', 'open'], field: 'frame' },
  {
    'a batch first': { frames: [{ $case: 'batch', value: { messages: [] } }] },
    'open twice': ({ id }) => ({
      frames: [
        { $case: 'open', value: { mailboxId: id } },
        { $case: 'open', value: { mailboxId: id } },
      ],
    }),
  },
);
refuse(
  'multicastStream',
  'FIELD_REQUIRED',
  { says: ['frame is required'], field: 'frame' },
  {
    'a frame of nothing': { frames: [Buffer.alloc(0)] },
  },
);
refuse(
  'multicastStream',
  'FIELD_REQUIRED',
  { says: ['open is required'], field: 'open' },
  {
    'no frame': { frames: [] },
  },
);

// ---- Receive

refuse(
  'receive',
  'SEQUENCE_NOT_RETAINED',
  { code: status.OUT_OF_RANGE, says: ['after_sequence'], field: 'after_sequence' },
  {
    'after an event that is not there yet': ({ id }) => ({ mailboxId: id, afterSequence: 2n }),
    'after 2^53': ({ id }) => ({ mailboxId: id, afterSequence: 2n ** 53n }),
    'after the largest number': ({ id }) => ({ mailboxId: id, afterSequence: UINT64_MAX }),
  },
);
refuse(
  'receive',
  'FIELD_INVALID',
  { says: ['max_outstanding_events', 'AUTO', '0'], field: 'max_outstanding_events' },
  {
    'outstanding events with AUTO': ({ id }) => ({ mailboxId: id, maxOutstandingEvents: 1n }),
    'the largest number of outstanding events with AUTO': ({ id }) => ({
      mailboxId: id,
      maxOutstandingEvents: UINT64_MAX,
    }),
  },
);
refuse(
  'receive',
  'FIELD_INVALID',
  { says: ['max_outstanding_bytes', 'AUTO', '0'], field: 'max_outstanding_bytes' },
  {
    'outstanding bytes with AUTO': ({ id }) => ({ mailboxId: id, maxOutstandingBytes: 1n }),
  },
);
refuse(
  'receive',
  'LIMIT_OUT_OF_RANGE',
  { says: ['heartbeat_interval', '100 ms to 1 h'], field: 'heartbeat_interval' },
  {
    'heartbeats without a pause': ({ id }) => ({ mailboxId: id, heartbeatInterval: {} }),
    'heartbeats every 99 ms': ({ id }) => ({ mailboxId: id, heartbeatInterval: { nanos: 99_999_999 } }),
    'heartbeats after more than an hour': ({ id }) => ({
      mailboxId: id,
      heartbeatInterval: { seconds: 3600n, nanos: 1 },
    }),
    'heartbeats backwards': ({ id }) => ({ mailboxId: id, heartbeatInterval: { seconds: -1n } }),
    'heartbeats with illegal nanos': ({ id }) => ({
      mailboxId: id,
      heartbeatInterval: { nanos: -2_147_483_648 },
    }),
  },
);

// ---- Acknowledge

refuse(
  'acknowledge',
  'SEQUENCE_NOT_RETAINED',
  { code: status.OUT_OF_RANGE, says: ['up_to_sequence'], field: 'up_to_sequence' },
  {
    'an event that was not given': ({ explicitId: mailboxId }) => ({ mailboxId, upToSequence: 1n }),
    'an event that is not there': ({ id }) => ({ mailboxId: id, upToSequence: 2n }),
    'the largest number': ({ id }) => ({ mailboxId: id, upToSequence: UINT64_MAX }),
  },
);

// ---- ListMailboxes

const ADMIN = { metadata: { authorization: 'Bearer the-token' } };
const denied = { code: status.PERMISSION_DENIED, says: ['admin credential', 'authorization: Bearer'] };
refuse('listMailboxes', 'ADMIN_ONLY', denied, { 'no credential': {} });
refuse(
  'listMailboxes',
  'ADMIN_ONLY',
  { ...denied, metadata: { authorization: 'Bearer the-toke' } },
  { 'part of the credential': {} },
);
refuse(
  'listMailboxes',
  'ADMIN_ONLY',
  { ...denied, metadata: { authorization: 'the-token' } },
  { 'the credential without a scheme': {} },
);
refuse(
  'listMailboxes',
  'ADMIN_ONLY',
  { ...denied, metadata: { authorization: 'Basic the-token' } },
  { 'the credential with another scheme': {} },
);
refuse(
  'listMailboxes',
  'LIMIT_OUT_OF_RANGE',
  { ...ADMIN, says: ['page_size', '1 to 1000'], field: 'page_size' },
  {
    'a page of 1001': { pageSize: 1001 },
    'the largest page': { pageSize: 4_294_967_295 },
  },
);
refuse(
  'listMailboxes',
  'FIELD_INVALID',
  { ...ADMIN, says: ['page_token', 'next_page_token'], field: 'page_token' },
  {
    'a page token that is none': { pageToken: 'x' },
    'a page token with something behind it': { pageToken: 'm1 ' },
    'a long page token': { pageToken: 'm'.repeat(100_000) },
  },
);

let scene: Awaited<ReturnType<typeof startBadInputScene>>;
beforeAll(async () => {
  scene = await startBadInputScene();
});
afterAll(() => scene.stop());

const SPREAD = /^(ILLEGAL|REJECT|MESSAGE_TOO_LONG)/;

describe('bad input', () => {
  it('is tried on every RPC, in more than 100 ways', () => {
    expect(rows.length).toBeGreaterThan(100);
    expect([...new Set(rows.map(({ rpc }) => rpc))].sort()).toEqual([...METHODS].sort());
  });

  it.each(rows.map((row) => [`${row.rpc}: ${row.what}`, row] as const))('%s', async (_, row) => {
    const refusal = await scene.refusalOf(row);
    expect(refusal).toMatchObject({ code: row.code, reason: row.reason });
    for (const part of row.says) expect(refusal.sentence).toContain(part);
    if (row.field !== undefined) expect(refusal.metadata.field).toBe(row.field);
    expect(refusal.domain).toBe(SPREAD.test(row.reason) ? 'spread.org' : 'spread-sidecar');
    if (refusal.domain === 'spread.org') expect(refusal.metadata.spread_error).toBe(row.reason);
    // A sentence for people, whatever was sent: bounded, and on one line.
    expect(refusal.sentence.length).toBeGreaterThan(10);
    expect(refusal.sentence.length).toBeLessThanOrEqual(500);
    expect(refusal.sentence).not.toMatch(/\p{Cc}/u);
    // The mailbox ids of the scene are secrets.
    for (const id of Object.values(scene.scene)) expect(refusal.sentence).not.toContain(id);
  });

  it('harms nothing: the same mailbox still works', async () => {
    const { client, scene: ids } = scene;
    const answer = await new Promise((resolve, reject) => {
      client.getView({ mailboxId: ids.id, group: 'chat' }, (error, value) =>
        error ? reject(error) : resolve(value),
      );
    });
    expect(answer).toMatchObject({ view: { group: 'chat' } });
    expect(scene.defects).toEqual([]);
    expect(scene.server.openCalls).toBe(0);
  });
});
