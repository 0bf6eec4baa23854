// A mailbox service in memory, without Spread, in which a test can inject any failure.
import { randomBytes } from 'node:crypto';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import * as api from 'spread-sidecar-proto';
import {
  Acknowledgement,
  ErrorInfo,
  type Event,
  MailboxState,
  RetryInfo,
  RichStatus,
} from 'spread-sidecar-proto';

/** A failure in the form of the sidecar. Without a reason, in the form of the transport. */
export interface Fault {
  code: status;
  message?: string;
  reason?: string;
  domain?: string;
  metadata?: Record<string, string>;
  retryDelayMs?: number;
}

const any = (name: string, value: Uint8Array) => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: Buffer.from(value),
});

const metadataOf = ({ metadata = {} }: Fault) => new Map(Object.entries(metadata));

/** Converts a fault to an error of grpc-js. */
export function toServiceError(fault: Fault) {
  const { code, message = 'made to fail', reason, domain = 'spread-sidecar', retryDelayMs } = fault;
  const metadata = new Metadata();
  const details = [];
  if (reason)
    details.push(
      any('ErrorInfo', ErrorInfo.encode({ reason, domain, metadata: metadataOf(fault) }).finish()),
    );
  if (retryDelayMs !== undefined) {
    const retryDelay = { seconds: 0n, nanos: retryDelayMs * 1e6 };
    details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  if (details.length > 0)
    metadata.set(
      'grpc-status-details-bin',
      Buffer.from(RichStatus.encode({ code, message, details }).finish()),
    );
  return Object.assign(new Error(message), { code, details: message, metadata });
}

type ReceiveCall = ServerWritableStream<api.ReceiveRequest, api.ReceiveResponse>;
type StreamCall = ServerDuplexStream<api.MulticastStreamRequest, api.MulticastStreamResponse>;

/** A mailbox of the fake service: its events, and its current stream. */
export class FakeMailbox {
  readonly id = randomBytes(16).toString('hex');
  readonly events: Event[] = [];
  readonly groups: string[] = [];
  acknowledged = 0n;
  /** The requests of Receive streams, in order. */
  readonly receives: api.ReceiveRequest[] = [];
  /** Number of events in a batch. */
  batchSize = 10;
  /** The end of the streams after all events. */
  end: Fault | 'ok' | undefined;
  #call: ReceiveCall | undefined;
  #next = 0n;

  constructor(readonly request: api.ConnectRequest) {}

  get explicit(): boolean {
    return this.request.acknowledgement === Acknowledgement.EXPLICIT;
  }

  get attached(): boolean {
    return this.#call !== undefined;
  }

  /** Adds an event. */
  push(kind: Event['kind']): void {
    const sequence = BigInt(this.events.length + 1);
    const receivedAt = { seconds: 1_700_000_000n, nanos: 500_000_000 };
    this.events.push({ sequence, receivedAt, kind });
    this.pump();
  }

  /** Adds a regular message. */
  message(payload: string | Buffer, groups = ['g'], headers: Readonly<Record<string, string>> = {}): void {
    this.push({
      $case: 'regularMessage',
      value: {
        sender: '#fake#node',
        groups,
        serviceType: 6,
        messageType: -5,
        payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
        endianMismatch: false,
        selfDiscard: false,
        spreadType: 0x20,
        headers: new Map(Object.entries(headers)),
      },
    });
  }

  attach(call: ReceiveCall): void {
    this.fail({ code: status.ABORTED, reason: 'RECEIVER_REPLACED' });
    this.receives.push(call.request);
    this.#call = call;
    call.on('drain', () => this.#call === call && this.pump());
    this.#next = (call.request.afterSequence ?? 0n) + 1n;
    call.on('cancelled', () => {
      if (this.#call === call) this.#call = undefined;
    });
    const last = BigInt(this.events.length);
    this.write({
      $case: 'attached',
      value: {
        nextSequence: this.#next,
        oldestRetainedSequence: 1n,
        lastSequence: last,
        privateGroup: '#me#fake',
        groups: this.groups,
        acknowledgement: this.explicit ? Acknowledgement.EXPLICIT : Acknowledgement.AUTO,
        acknowledgedSequence: this.acknowledged,
      },
    });
    this.pump();
  }

  /** Writes a frame. */
  write(frame: api.ReceiveResponse['frame']): boolean {
    return this.#call?.write({ frame }) ?? false;
  }

  /** Ends the current stream, but not the mailbox. */
  fail(fault: Fault): void {
    const call = this.#call;
    this.#call = undefined;
    call?.emit('error', toServiceError(fault));
  }

  /** Sends the available events as fast as the client reads, and then the end if there is one. */
  pump(): void {
    const call = this.#call;
    if (!call || call.writableNeedDrain) return;
    while (this.#next <= BigInt(this.events.length)) {
      const events = this.events.slice(Number(this.#next) - 1, Number(this.#next) - 1 + this.batchSize);
      this.#next += BigInt(events.length);
      if (!this.write({ $case: 'batch', value: { events } })) return;
    }
    if (this.end === 'ok') {
      this.#call = undefined;
      call.end();
    } else if (this.end) {
      const last_sequence = String(this.events.length);
      this.fail({ ...this.end, metadata: { last_sequence, ...this.end.metadata } });
    }
  }
}

/** The service. It counts each call, and can fail or delay each. */
export class FakeMailboxService {
  readonly mailboxes = new Map<string, FakeMailbox>();
  readonly calls: { method: string; request: unknown; headers: Record<string, unknown> }[] = [];
  /** The faults of the methods. Each fault is used once, `hang` forever. */
  readonly faults = new Map<string, (Fault | 'hang')[]>();
  /** Called for each message of a MulticastStream. A fault rejects the message. */
  onStreamMessage: (message: api.MulticastMessage) => Fault | undefined = () => undefined;
  /** The open MulticastStreams. */
  readonly streams: StreamCall[] = [];
  /** While true, batches of a MulticastStream are accepted without a response. */
  holdAnswers = false;
  version: Partial<api.GetVersionResponse> = {};
  /** The next page token of further pages of ListMailboxes. */
  pageAfterNext = '';
  limits: Partial<api.MailboxLimits> = {};
  readonly #server = new Server();
  port = 0;

  static async start(address = '127.0.0.1:0'): Promise<FakeMailboxService> {
    const service = new FakeMailboxService();
    service.#server.addService(api.MailboxServiceService, service.#implementation());
    service.port = await new Promise<number>((resolve, reject) =>
      service.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    return service;
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The only mailbox. */
  get mailbox(): FakeMailbox {
    const [mailbox] = this.mailboxes.values();
    if (!mailbox) throw new Error('no mailbox was opened');
    return mailbox;
  }

  fail(method: string, ...faults: (Fault | 'hang')[]): void {
    this.faults.set(method, [...(this.faults.get(method) ?? []), ...faults]);
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #implementation(): api.MailboxServiceServer {
    const answer = <Q, R>(method: string, respond: (request: Q) => R) => {
      return (
        call: { request: Q; metadata: Metadata },
        callback: (error: Error | null, response?: R) => void,
      ) => {
        this.calls.push({ method, request: call.request, headers: call.metadata.getMap() });
        const fault = this.faults.get(method)?.shift();
        if (fault === 'hang') return;
        if (fault) callback(toServiceError(fault));
        else
          try {
            callback(null, respond(call.request));
          } catch (error) {
            callback(error as Error);
          }
      };
    };
    const find = (id: string) => {
      const mailbox = this.mailboxes.get(id);
      if (!mailbox)
        throw toServiceError({ code: status.NOT_FOUND, reason: 'ILLEGAL_SESSION', domain: 'spread.org' });
      return mailbox;
    };
    const view = (group: string) => ({
      group,
      groupId: { daemonId: 7, time: 8, index: 9 },
      cause: 1,
      members: ['#me#fake'],
      ownIndex: 0,
      changedMembers: ['#me#fake'],
      virtualSynchronySets: [{ members: ['#me#fake'], mine: true }],
    });
    return {
      connect: answer('connect', (request: api.ConnectRequest) => {
        const mailbox = new FakeMailbox(request);
        this.mailboxes.set(mailbox.id, mailbox);
        return {
          mailboxId: mailbox.id,
          privateGroup: '#me#fake',
          daemonVersion: { major: 5, minor: 0, patch: 1 },
          daemon: '4803@localhost',
          limits: this.#limits(request),
          acknowledgement: mailbox.explicit ? Acknowledgement.EXPLICIT : Acknowledgement.AUTO,
        };
      }),
      disconnect: answer('disconnect', ({ mailboxId }: api.DisconnectRequest) => {
        const mailbox = this.mailboxes.get(mailboxId);
        this.mailboxes.delete(mailboxId);
        if (mailbox) {
          mailbox.end = 'ok';
          mailbox.pump();
        }
        return { wasOpen: mailbox !== undefined };
      }),
      join: answer('join', ({ mailboxId, group, awaitView }: api.JoinRequest) => {
        find(mailboxId).groups.push(group);
        find(mailboxId).push({ $case: 'membershipView', value: view(group) });
        return { view: awaitView ? view(group) : undefined };
      }),
      leave: answer('leave', ({ mailboxId, group, awaitView }: api.LeaveRequest) => {
        find(mailboxId).push({ $case: 'selfLeave', value: { group } });
        return { selfLeave: awaitView ? { group } : undefined };
      }),
      multicast: answer('multicast', ({ mailboxId, message }: api.MulticastRequest) => {
        find(mailboxId).message(message?.payload ?? '', message?.groups);
        return { bytesSent: message?.payload.length ?? 0 };
      }),
      multicastStream: (call) => this.#multicastStream(call),
      receive: (call) => {
        const fault = this.faults.get('receive')?.shift();
        this.calls.push({ method: 'receive', request: call.request, headers: call.metadata.getMap() });
        try {
          if (fault && fault !== 'hang') throw toServiceError(fault);
          if (!fault) find(call.request.mailboxId).attach(call);
        } catch (error) {
          call.emit('error', error);
        }
      },
      acknowledge: answer('acknowledge', ({ mailboxId, upToSequence }: api.AcknowledgeRequest) => {
        const mailbox = find(mailboxId);
        if (upToSequence > mailbox.acknowledged) mailbox.acknowledged = upToSequence;
        return { acknowledgedSequence: mailbox.acknowledged };
      }),
      poll: answer('poll', ({ mailboxId }: api.PollRequest) => ({
        waitingEvents: BigInt(find(mailboxId).events.length),
        waitingBytes: 100n,
        state: MailboxState.OPEN,
      })),
      getMailbox: answer('getMailbox', ({ mailboxId }: api.GetMailboxRequest) => ({
        mailbox: api.Mailbox.fromPartial({
          privateGroup: '#me#fake',
          state: MailboxState.OPEN,
          acknowledgement: find(mailboxId).explicit ? Acknowledgement.EXPLICIT : Acknowledgement.AUTO,
          deliveredSequence: '3',
          acknowledgedSequence: '1',
          limits: this.#limits(find(mailboxId).request) as never,
        }),
      })),
      getView: answer('getView', ({ group }: api.GetViewRequest) => ({
        view: view(group),
        inTransition: true,
      })),
      listMailboxes: answer('listMailboxes', ({ pageToken }: api.ListMailboxesRequest) => ({
        mailboxes: [api.Mailbox.fromPartial({ privateGroup: pageToken === '' ? '#a#b' : '#c#d' })],
        nextPageToken: pageToken === '' ? 'next' : this.pageAfterNext,
      })),
      getVersion: answer('getVersion', () => ({
        sidecar: '0.1.0',
        contract: 'spread.sidecar.v1',
        clientProtocol: { major: 5, minor: 0, patch: 1 },
        daemon: undefined,
        daemonAddress: '',
        embeddedDaemon: true,
        ...this.version,
      })),
    };
  }

  #limits(request: api.ConnectRequest): api.MailboxLimits {
    const defaults = { maxGroupsPerMessage: 43, maxMessageBytes: 143_151, maxGroups: 1000 };
    return {
      lease: request.lease ?? { seconds: 30n, nanos: 0 },
      queue: { maxEvents: 10n, maxBytes: 11n, replayBytes: 12n, overflow: 1, softLimit: undefined },
      maxSendQueueBytes: 1n << 20n,
      ...defaults,
      ...this.limits,
    };
  }

  #multicastStream(call: StreamCall): void {
    this.streams.push(call);
    let decided = 0n;
    let accepted = 0n;
    call.on('data', ({ frame }: api.MulticastStreamRequest) => {
      const refusals: api.MulticastRefusal[] = [];
      for (const message of frame?.$case === 'batch' ? frame.value.messages : []) {
        decided += 1n;
        const fault = this.onStreamMessage(message);
        if (!fault) accepted += 1n;
        else
          refusals.push({
            index: decided,
            statusCode: fault.code,
            statusMessage: fault.message ?? 'refused',
            reason: fault.reason ?? '',
            domain: fault.domain ?? 'spread.org',
            metadata: metadataOf(fault),
          });
      }
      if (!this.holdAnswers) call.write({ decided, accepted, refusals });
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }
}
