import { status } from '@grpc/grpc-js';
import { BadInputs } from './bad-input.js';

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

/** Rows about Connect. */
export const connectInputs = new BadInputs();
const refuse = connectInputs.refuse;

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
  { code: status.PERMISSION_DENIED, says: ['daemon', 'daemon.allow'], field: 'daemon' },
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
