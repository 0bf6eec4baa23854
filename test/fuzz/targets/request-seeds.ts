import * as api from 'spread-sidecar-proto';

export type Rpc = keyof typeof api.MailboxServiceService;

export const RPCS = Object.keys(api.MailboxServiceService) as Rpc[];

/** Placeholder in inputs for the ID of a mailbox that is open when the input runs. */
export const MAILBOX_ID = '0123456789abcdef0123456789abcdef';

export interface RequestSeed {
  readonly rpc: Rpc;
  readonly bytes: Buffer;
}

const message = {
  serviceType: 5,
  groups: ['chat', '#r1-1#localhost'],
  messageType: -7,
  payload: Buffer.from('hello'),
  selfDiscard: true,
  headers: new Map([
    ['content-type', 'text/plain'],
    ['empty', ''],
  ]),
};

/** Valid requests. Each field of each request is set in at least one of them. */
const FIELDS: Readonly<Record<Rpc, readonly object[]>> = {
  connect: [
    {},
    { privateName: 'fuzz', onNameConflict: 2, membership: true, acknowledgement: 2, priority: 1 },
    { daemon: '4803@127.0.0.1', auth: { method: { $case: 'ipMethod', value: {} } } },
    {
      lease: { seconds: 1n, nanos: 500_000_000 },
      queue: { maxEvents: 10n, maxBytes: 10_000n, replayBytes: 1000n, overflow: 2 },
      reconnect: { enabled: true, giveUpAfter: { seconds: 5n, nanos: 0 }, onNameLoss: 1 },
    },
  ],
  disconnect: [
    { mailboxId: 'ffffffffffffffffffffffffffffffff', leaveGroupsFirst: true },
    { mailboxId: 'ffffffffffffffffffffffffffffffff', abort: true },
  ],
  join: [
    { mailboxId: MAILBOX_ID, group: 'chat' },
    { mailboxId: MAILBOX_ID, group: 'news', awaitView: true },
  ],
  leave: [
    { mailboxId: MAILBOX_ID, group: 'chat' },
    { mailboxId: MAILBOX_ID, group: 'news', awaitView: true },
  ],
  multicast: [
    { mailboxId: MAILBOX_ID, message },
    { mailboxId: MAILBOX_ID, message: { serviceType: 1, groups: ['g'], payload: Buffer.alloc(300, 0x61) } },
  ],
  multicastStream: [
    { frame: { $case: 'open', value: { mailboxId: MAILBOX_ID } } },
    { frame: { $case: 'batch', value: { messages: [message, { ...message, groups: ['chat'] }] } } },
  ],
  receive: [
    { mailboxId: MAILBOX_ID },
    {
      mailboxId: MAILBOX_ID,
      afterSequence: 1n,
      maxOutstandingEvents: 10n,
      maxOutstandingBytes: 10_000n,
      heartbeatInterval: { seconds: 1n, nanos: 0 },
    },
  ],
  acknowledge: [{ mailboxId: MAILBOX_ID, upToSequence: 3n }],
  poll: [{ mailboxId: MAILBOX_ID }],
  getMailbox: [{ mailboxId: MAILBOX_ID }],
  getView: [{ mailboxId: MAILBOX_ID, group: 'chat' }],
  listMailboxes: [{ pageSize: 5, pageToken: 'abc' }],
  getVersion: [{}],
};

const TYPES: Readonly<
  Record<Rpc, { fromPartial(partial: object): unknown; encode(value: never): { finish(): Uint8Array } }>
> = {
  connect: api.ConnectRequest,
  disconnect: api.DisconnectRequest,
  join: api.JoinRequest,
  leave: api.LeaveRequest,
  multicast: api.MulticastRequest,
  multicastStream: api.MulticastStreamRequest,
  receive: api.ReceiveRequest,
  acknowledge: api.AcknowledgeRequest,
  poll: api.PollRequest,
  getMailbox: api.GetMailboxRequest,
  getView: api.GetViewRequest,
  listMailboxes: api.ListMailboxesRequest,
  getVersion: api.GetVersionRequest,
};

export const REQUEST_SEEDS: readonly RequestSeed[] = RPCS.flatMap((rpc) =>
  FIELDS[rpc].map((fields) => {
    const type = TYPES[rpc];
    return { rpc, bytes: Buffer.from(type.encode(type.fromPartial(fields) as never).finish()) };
  }),
);
