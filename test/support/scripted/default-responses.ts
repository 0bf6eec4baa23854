// Valid responses of a scripted sidecar. A case changes only the fields that it tests.
import * as api from 'spread-sidecar-proto';

/** The ID of the mailbox that Connect opens. */
export const MAILBOX_ID = '0123456789abcdef0123456789abcdef';

const view = (group: string) => ({
  group,
  groupId: { daemonId: 7, time: 8, index: 9 },
  cause: 1,
  members: ['#scripted#fake'],
  ownIndex: 0,
  changedMembers: ['#scripted#fake'],
  virtualSynchronySets: [{ members: ['#scripted#fake'], mine: true }],
});

const limits = (lease?: api.ConnectRequest['lease']) => ({
  lease: lease ?? { seconds: 30n, nanos: 0 },
  queue: { maxEvents: 10n, maxBytes: 11n, replayBytes: 12n, overflow: 1, softLimit: undefined },
  maxGroupsPerMessage: 43,
  maxMessageBytes: 143_151,
  maxGroups: 1000,
  maxSendQueueBytes: 1n << 20n,
});

/** What the responses depend on: the request of the last Connect. */
interface Opened {
  readonly connect?: api.ConnectRequest;
}

const modeOf = ({ connect }: Opened) =>
  connect?.acknowledgement === api.Acknowledgement.EXPLICIT
    ? api.Acknowledgement.EXPLICIT
    : api.Acknowledgement.AUTO;

type Respond = (request: never, opened: Opened) => object;

/** The valid response of each unary method. */
export const DEFAULT_RESPONSES: Readonly<Record<string, Respond>> = {
  connect: (request: api.ConnectRequest) => ({
    mailboxId: MAILBOX_ID,
    privateGroup: '#scripted#fake',
    daemonVersion: { major: 5, minor: 0, patch: 1 },
    daemon: '4803@localhost',
    limits: limits(request.lease),
    acknowledgement: modeOf({ connect: request }),
  }),
  disconnect: () => ({ wasOpen: true }),
  join: ({ group, awaitView }: api.JoinRequest) => ({ view: awaitView ? view(group) : undefined }),
  leave: ({ group, awaitView }: api.LeaveRequest) => ({ selfLeave: awaitView ? { group } : undefined }),
  multicast: ({ message }: api.MulticastRequest) => ({ bytesSent: message?.payload.length ?? 0 }),
  acknowledge: ({ upToSequence }: api.AcknowledgeRequest) => ({ acknowledgedSequence: upToSequence }),
  poll: () => ({ waitingEvents: 0n, waitingBytes: 0n, state: api.MailboxState.OPEN }),
  getMailbox: (_request: api.GetMailboxRequest, opened) => ({
    mailbox: {
      ...api.Mailbox.fromPartial({
        privateGroup: '#scripted#fake',
        state: api.MailboxState.OPEN,
        acknowledgement: modeOf(opened),
      }),
      limits: limits(opened.connect?.lease),
    },
  }),
  getView: ({ group }: api.GetViewRequest) => ({ view: view(group), inTransition: false }),
  listMailboxes: () => ({
    mailboxes: [api.Mailbox.fromPartial({ privateGroup: '#a#b' })],
    nextPageToken: '',
  }),
  getVersion: () => ({
    sidecar: '0.1.0',
    contract: 'spread.sidecar.v1',
    clientProtocol: { major: 5, minor: 0, patch: 1 },
    daemon: { major: 5, minor: 0, patch: 1 },
    daemonAddress: '4803@localhost',
    embeddedDaemon: true,
  }),
};
