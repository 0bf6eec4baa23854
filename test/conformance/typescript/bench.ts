import { credentials } from '@grpc/grpc-js';
import { connect, FIFO_MESS, type Mailbox } from 'spread-sidecar-client';
import {
  ConnectRequest,
  type ConnectResponse,
  type DisconnectResponse,
  type JoinResponse,
  MailboxServiceClient,
  type MulticastMessage,
  type MulticastResponse,
  ReceiveRequest,
  type ReceiveResponse,
  ServiceType,
} from 'spread-sidecar-proto';
import type { Args } from './protocol.js';

/** Maximum number of messages in flight to the receiver. */
const MAX_MESSAGES = 20_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** A frame of the raw sender has the same size as one of the client. */
const BATCH_MESSAGES = 1024;
const BATCH_BYTES = 1024 * 1024;
/** The time at the start that is not measured. Unit: ms. */
const WARM_UP_MS = 500;

/** A mailbox in its own group, which uses the client or only the stubs. */
interface Peer {
  /** Sends a message to the peer's own group. May resolve at once. */
  send(payload: Buffer): Promise<void> | void;
  /** Writes the messages that were not written yet. */
  flush(): void;
  /** Sends one message and waits for its response. */
  multicast(payload: Buffer): Promise<void>;
  /** Waits for at least one message. Resolves with the number of messages. */
  receive(): Promise<number>;
  close(): Promise<void>;
}

const groupName = () => `bench-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;

async function clientPeer(target: string): Promise<Peer> {
  const mailbox: Mailbox = await connect({ target, membership: false });
  const group = groupName();
  await mailbox.join(group);
  const sender = mailbox.sender({ maxInFlightMessages: MAX_MESSAGES, maxInFlightBytes: MAX_BYTES });
  return {
    send: (payload) => sender.send(FIFO_MESS, group, payload),
    flush: () => {},
    multicast: async (payload) => void (await mailbox.multicast(FIFO_MESS, group, payload)),
    receive: async () => (await mailbox.receiveMany()).length,
    close: async () => {
      await sender.close();
      await mailbox.disconnect();
    },
  };
}

async function rawPeer(target: string): Promise<Peer> {
  const client = new MailboxServiceClient(target, credentials.createInsecure(), {
    'grpc-node.flow_control_window': 1024 * 1024,
  });
  const answerOf = <Answer>(call: (callback: (error: Error | null, answer: Answer) => void) => void) =>
    new Promise<Answer>((resolve, reject) =>
      call((error, answer) => (error === null ? resolve(answer) : reject(error))),
    );
  const request = ConnectRequest.fromPartial({ membership: false });
  const { mailboxId } = await answerOf<ConnectResponse>((callback) => client.connect(request, callback));
  const group = groupName();
  await answerOf<JoinResponse>((callback) => client.join({ mailboxId, group, awaitView: false }, callback));
  const sending = client.multicastStream();
  sending.on('data', () => {});
  sending.on('error', () => {});
  sending.write({ frame: { $case: 'open', value: { mailboxId, respondsOnRequest: false } } });
  const receiving = client.receive(ReceiveRequest.fromPartial({ mailboxId }));
  let waiting = 0;
  let wake: (() => void) | undefined;
  receiving.on('error', () => {});
  receiving.on('data', ({ frame }: ReceiveResponse) => {
    if (frame?.$case !== 'batch') return;
    waiting += frame.value.events.length;
    wake?.();
  });
  const toMessage = (payload: Buffer): MulticastMessage => ({
    serviceType: ServiceType.FIFO,
    groups: [group],
    payload,
    messageType: 0,
    selfDiscard: false,
    headers: new Map(),
  });
  let batch: MulticastMessage[] = [];
  let batchBytes = 0;
  const flush = () => {
    if (batch.length === 0) return;
    sending.write({ frame: { $case: 'batch', value: { messages: batch, respond: false } } });
    batch = [];
    batchBytes = 0;
  };
  return {
    send: (payload) => {
      batch.push(toMessage(payload));
      batchBytes += payload.length;
      if (batch.length >= BATCH_MESSAGES || batchBytes >= BATCH_BYTES) flush();
    },
    flush,
    multicast: async (payload) => {
      const message = toMessage(payload);
      await answerOf<MulticastResponse>((callback) => client.multicast({ mailboxId, message }, callback));
    },
    receive: async () => {
      if (waiting === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      wake = undefined;
      const count = waiting;
      waiting = 0;
      return count;
    },
    close: async () => {
      sending.end();
      const end = { mailboxId, leaveGroupsFirst: false, abort: false };
      await answerOf<DisconnectResponse>((callback) => client.disconnect(end, callback));
      client.close();
    },
  };
}

const peerOf = ({ target, raw }: Args) => (raw ? rawPeer(target) : clientPeer(target));

/** Measures the messages per second of one process that sends to itself. */
export async function benchThroughput(args: Args): Promise<object> {
  const peer = await peerOf(args);
  const payload = Buffer.alloc(args.payloadBytes, 'x');
  const window = Math.max(1, Math.min(MAX_MESSAGES, Math.floor(MAX_BYTES / Math.max(args.payloadBytes, 1))));
  let sent = 0;
  let received = 0;
  let stop = false;
  let wake: (() => void) | undefined;
  const sending = (async () => {
    while (!stop) {
      while (!stop && sent - received < window) {
        sent += 1;
        await peer.send(payload);
      }
      peer.flush();
      if (!stop && sent - received >= window)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  })();
  const startedAt = performance.now();
  let countedFrom = 0;
  let since = 0;
  while (!stop || received < sent) {
    received += await peer.receive();
    const now = performance.now();
    if (since === 0 && now - startedAt >= WARM_UP_MS) {
      since = now;
      countedFrom = received;
    }
    if (since > 0 && now - since >= args.seconds * 1000) {
      stop = true;
      wake?.();
      const seconds = (now - since) / 1000;
      const messages = received - countedFrom;
      await sending;
      while (received < sent) received += await peer.receive();
      await peer.close();
      return { messages, seconds };
    }
    if (sent - received < window / 2) {
      wake?.();
      wake = undefined;
    }
  }
  throw new Error('the measurement ended before its time');
}

/** Measures the time from the multicast to the received message. */
export async function benchRoundTrip(args: Args): Promise<object> {
  const peer = await peerOf(args);
  const payload = Buffer.alloc(args.payloadBytes, 'x');
  const warmUp = Math.ceil(args.count / 10);
  const latenciesUs: number[] = [];
  for (let i = 0; i < warmUp + args.count; i += 1) {
    const startedAt = process.hrtime.bigint();
    const response = peer.multicast(payload);
    await peer.receive();
    if (i >= warmUp) latenciesUs.push(Number(process.hrtime.bigint() - startedAt) / 1000);
    await response;
  }
  await peer.close();
  return { latenciesUs };
}
