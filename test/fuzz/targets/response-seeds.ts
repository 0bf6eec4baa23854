import * as api from 'spread-sidecar-proto';
import type { Rpc } from './request-seeds.js';

const time = { seconds: 1_700_000_000n, nanos: 123_000_000 };
const groupId = { daemonId: 4_294_967_294, time: -5, index: 3 };
const members = ['#a#localhost', '#b#localhost'];
const view = {
  group: 'chat',
  groupId,
  cause: 4,
  members,
  ownIndex: -1,
  changedMembers: ['#c#n'],
  virtualSynchronySets: [{ members, mine: true }],
};
const content = {
  sender: '#a#localhost',
  groups: ['chat', 'news'],
  serviceType: 5,
  messageType: -32_768,
  payload: Buffer.from('h\u00e9llo'),
  endianMismatch: true,
  spreadType: 0x50,
  headers: new Map([['content-type', 'text/plain']]),
};
const lost = { privateGroup: '#a#n', groups: ['chat'], spreadCode: -8 };
const restored = { previousPrivateGroup: '#a#n', privateGroup: '#b#n', groups: ['chat'], daemon: '4803' };

const kinds = [
  { $case: 'regularMessage', value: { ...content, selfDiscard: true } },
  { $case: 'membershipView', value: view },
  { $case: 'transitionalSignal', value: { group: 'chat', groupId } },
  { $case: 'selfLeave', value: { group: 'chat' } },
  { $case: 'rejectedMessage', value: { ...content, operation: 3 } },
  { $case: 'connectionLost', value: lost },
  { $case: 'connectionRestored', value: restored },
];

const events = kinds.map((kind, at) => ({ sequence: BigInt(at + 1), receivedAt: time, kind }));

const limits = {
  lease: { seconds: 30n, nanos: 1 },
  queue: { maxEvents: 10n, maxBytes: 100n, replayBytes: 5n, overflow: 2 },
  maxGroupsPerMessage: 43,
  maxMessageBytes: 143_151,
  maxGroups: 1000,
  maxSendQueueBytes: 4_000_000n,
};

const mailbox = {
  privateGroup: '#a#n',
  state: 1,
  daemon: '4803@h',
  daemonVersion: { major: 5, minor: 0, patch: 1 },
  membership: true,
  acknowledgement: 2,
  limits,
  groups: ['chat'],
  openedAt: time,
  leaseEndsAt: time,
  lastSequence: 18_446_744_073_709_551_615n,
  displayId: 'ab12',
};

const attached = {
  nextSequence: 1n,
  oldestRetainedSequence: 1n,
  lastSequence: 7n,
  privateGroup: '#a#n',
  groups: ['chat'],
  acknowledgedSequence: 0n,
};

/** The frames of a Receive stream. */
const RECEIVE_FRAMES: readonly object[] = [
  { frame: { $case: 'attached', value: attached } },
  { frame: { $case: 'batch', value: { events } } },
  { frame: { $case: 'heartbeat', value: { lastSequence: 7n, time } } },
  { frame: { $case: 'slowConsumer', value: { queuedEvents: 5n, queuedBytes: 500n, maxEvents: 6n } } },
];

const refusal = {
  index: 2n,
  statusCode: 3,
  statusMessage: 'no',
  reason: 'ILLEGAL_GROUP',
  domain: 'spread.org',
  metadata: new Map([['field', 'group']]),
};

/** Valid responses. Each field is set in at least one of them. */
const ANSWERS: Readonly<Record<Rpc, readonly object[]>> = {
  connect: [
    {
      mailboxId: '0123456789abcdef0123456789abcdef',
      privateGroup: '#a#n',
      daemonVersion: { major: 5, minor: 0, patch: 1 },
      daemon: '4803@h',
      limits,
      acknowledgement: 1,
    },
    {
      mailboxId: 'x',
      privateGroup: '#a#n',
      limits: { ...limits, lease: { seconds: 315_576_000_000n, nanos: 0 } },
    },
  ],
  disconnect: [{ wasOpen: true }],
  join: [{}, { view }],
  leave: [{}],
  multicast: [{ bytesSent: 100 }],
  multicastStream: [{ decided: 2n, accepted: 1n, refusals: [refusal] }],
  receive: RECEIVE_FRAMES,
  acknowledge: [{ acknowledgedSequence: 5n }],
  poll: [{ waitingEvents: 1n, waitingBytes: 2n }],
  getMailbox: [{ mailbox }],
  getView: [{ view, inTransition: true }],
  listMailboxes: [{ mailboxes: [mailbox, mailbox], nextPageToken: 'x' }],
  getVersion: [
    {
      sidecar: '0.1.0',
      contract: 'spread.sidecar.v1',
      clientProtocol: { major: 5, minor: 0, patch: 1 },
      daemon: { major: 5, minor: 0, patch: 1 },
      daemonAddress: '4803',
      embeddedDaemon: true,
    },
  ],
};

const TYPES: Readonly<
  Record<Rpc, { fromPartial(partial: object): unknown; encode(value: never): { finish(): Uint8Array } }>
> = {
  connect: api.ConnectResponse,
  disconnect: api.DisconnectResponse,
  join: api.JoinResponse,
  leave: api.LeaveResponse,
  multicast: api.MulticastResponse,
  multicastStream: api.MulticastStreamResponse,
  receive: api.ReceiveResponse,
  acknowledge: api.AcknowledgeResponse,
  poll: api.PollResponse,
  getMailbox: api.GetMailboxResponse,
  getView: api.GetViewResponse,
  listMailboxes: api.ListMailboxesResponse,
  getVersion: api.GetVersionResponse,
};

export function responseSeeds(): { rpc: Rpc; bytes: Buffer }[] {
  return (Object.keys(ANSWERS) as Rpc[]).flatMap((rpc) =>
    ANSWERS[rpc].map((fields) => {
      const type = TYPES[rpc];
      return { rpc, bytes: Buffer.from(type.encode(type.fromPartial(fields) as never).finish()) };
    }),
  );
}
