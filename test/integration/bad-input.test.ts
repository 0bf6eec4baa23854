import { status } from '@grpc/grpc-js';
import { MailboxServiceService } from 'spread-sidecar-proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectInputs } from './bad-connect-input.js';
import { type BadInput, BadInputs, type Rpc, startBadInputScene } from './bad-input.js';
import { messageInputs } from './bad-message-input.js';

const UINT64_MAX = 2n ** 64n - 1n;
const METHODS = Object.keys(MailboxServiceService) as Rpc[];

const inputs = new BadInputs();
const refuse = inputs.refuse;

// ---- every RPC: bytes that are not a message of the contract

const TRUNCATED = Buffer.from([0x0a, 0x7f, 0x61]);
const CUT_TAG = Buffer.from([0x80]);
for (const rpc of METHODS) {
  const of = { says: ['not a valid message of'] };
  refuse(rpc, 'MALFORMED_REQUEST', of, {
    'a field that goes on past the end': TRUNCATED,
    'half a tag': CUT_TAG,
  });
}
for (const rpc of METHODS.filter(
  (name) => !['getVersion', 'multicastStream', 'listMailboxes'].includes(name),
)) {
  const of = { says: ['not a valid message of', 'UTF-8'] };
  refuse(rpc, 'MALFORMED_REQUEST', of, { 'a string that is not UTF-8': Buffer.from([0x0a, 2, 0xc3, 0x28]) });
}

// ---- every RPC on a mailbox: the mailbox ID

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
const denied = { code: status.PERMISSION_DENIED, says: ['admin token', 'authorization: Bearer'] };
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

const rows = [inputs, connectInputs, messageInputs].flatMap((each) => each.rows);

let scene: Awaited<ReturnType<typeof startBadInputScene>>;
beforeAll(async () => {
  scene = await startBadInputScene();
});
afterAll(() => scene.stop());

const SPREAD = /^(ILLEGAL|REJECT|MESSAGE_TOO_LONG)/;

describe('bad input', () => {
  it('is sent to every RPC, in more than 100 variants', () => {
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
    // The error message: always bounded in length, and on one line.
    expect(refusal.sentence.length).toBeGreaterThan(10);
    expect(refusal.sentence.length).toBeLessThanOrEqual(500);
    expect(refusal.sentence).not.toMatch(/\p{Cc}/u);
    // The mailbox IDs of the scene are secrets.
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
