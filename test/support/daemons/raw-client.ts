import type { NetConnectOpts } from 'node:net';
import {
  AcceptReader,
  AuthListReader,
  decodeMessage,
  encodeAuthChoice,
  encodeConnectRequest,
  encodeDisconnect,
  encodeJoin,
  encodeLeave,
  encodeMulticast,
  type Frame,
  FrameDecoder,
  type Message,
  type RegularMessage,
  type ServiceTypeName,
  type Version,
  type ViewMessage,
} from '../../../server/src/spread/wire/index.js';
import { until } from '../until.js';
import { ByteStream } from './byte-stream.js';

export interface RawClientOptions {
  /** Default: empty, for a name that the daemon generates. */
  name?: string;
  /** Default true. */
  membership?: boolean;
  /** Default 5.0.1. */
  version?: Version;
}

export interface RawMulticast {
  groups: string[];
  /** Text of the payload; default empty. */
  text?: string;
  /** Instead of `text`. */
  payload?: Buffer;
  /** Default AGREED. */
  serviceType?: ServiceTypeName;
  selfDiscard?: boolean;
  messageType?: number;
}

let markers = 0;

/** A Spread client for tests that sends any bytes, without the checks of a real client. */
export class RawClient {
  /** The received messages that were not taken, in order. */
  readonly received: Message[] = [];
  readonly #decoder = new FrameDecoder({ role: 'client' }, (frame) => this.#take(frame));

  private constructor(
    readonly stream: ByteStream,
    readonly privateGroup: string,
    readonly daemonVersion: Version,
  ) {
    this.#decode();
    stream.socket.on('data', () => this.#decode());
  }

  /** Connects and performs the handshake. The connection is closed at the end of the running test. */
  static async connect(where: NetConnectOpts, options: RawClientOptions = {}): Promise<RawClient> {
    const { name = '', membership = true, version } = options;
    const stream = await ByteStream.connect(where);
    stream.write(encodeConnectRequest({ name, membership, priority: 0, version }));
    const list = new AuthListReader();
    while (!list.done) list.push(await stream.read(1));
    stream.write(encodeAuthChoice(['NULL']));
    const accept = new AcceptReader();
    while (!accept.done) accept.push(await stream.read(1));
    return new RawClient(stream, accept.value.privateGroup, accept.value.daemonVersion);
  }

  send(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  join(...groups: string[]): void {
    for (const group of groups) this.send(encodeJoin(this.privateGroup, group));
  }

  leave(...groups: string[]): void {
    for (const group of groups) this.send(encodeLeave(this.privateGroup, group));
  }

  multicast(message: RawMulticast): void {
    for (const part of this.frame(message)) this.send(part);
  }

  /** The bytes of a multicast. */
  frame(message: RawMulticast): Buffer[] {
    const { groups, text = '', payload = Buffer.from(text, 'latin1'), messageType = 0 } = message;
    return encodeMulticast(
      {
        privateGroup: this.privateGroup,
        serviceType: message.serviceType ?? 'AGREED',
        selfDiscard: message.selfDiscard ?? false,
        groups,
        messageType,
        payload,
      },
      { maxGroups: 100, maxBody: 143_151 },
    );
  }

  /** Sends a disconnect message and waits until the daemon closes the connection. */
  async disconnect(): Promise<void> {
    this.send(encodeDisconnect(this.privateGroup));
    await this.ended();
    this.stream.socket.destroy();
  }

  /** Closes the connection without a disconnect message. */
  abort(): void {
    this.stream.socket.destroy();
  }

  pauseReading(): void {
    this.stream.socket.pause();
  }

  resumeReading(): void {
    this.stream.socket.resume();
  }

  /** Waits until the daemon closes the connection. */
  async ended(timeoutMs = 5000): Promise<void> {
    await this.stream.end(timeoutMs);
  }

  /** Takes the next message. */
  async next(timeoutMs = 5000): Promise<Message> {
    await until(() => this.received.length > 0 || this.stream.ended, {
      timeoutMs,
      what: `the next message of ${this.privateGroup}`,
    });
    const message = this.received.shift();
    if (!message) throw new Error(`the daemon ended the session of ${this.privateGroup}`);
    return message;
  }

  /** Takes the next message, which must be a view. */
  async nextView(timeoutMs = 5000): Promise<ViewMessage> {
    const message = await this.next(timeoutMs);
    if (message.kind !== 'view') throw new Error(`instead of a view came ${JSON.stringify(message)}`);
    return message;
  }

  /** Takes the next message, which must be a regular one. */
  async nextRegular(timeoutMs = 5000): Promise<RegularMessage> {
    const message = await this.next(timeoutMs);
    if (message.kind !== 'regular') throw new Error(`instead of a message came ${JSON.stringify(message)}`);
    return message;
  }

  #decode(): void {
    const bytes = this.stream.take();
    if (bytes.length > 0) this.#decoder.push(bytes);
  }

  #take(frame: Frame): void {
    this.received.push(decodeMessage(frame));
  }
}

/**
 * Takes all messages that were sent to each of `clients` before. `from` sends one more message to all of
 * them. Messages that depend on earlier ones of `from` cannot come after it.
 */
export async function everythingReceived(from: RawClient, ...clients: RawClient[]): Promise<Message[][]> {
  const marker = `marker ${++markers}`;
  const isMarker = (message: Message) =>
    message.kind === 'regular' && message.payload.toString('latin1') === marker;
  from.multicast({ groups: clients.map((client) => client.privateGroup), text: marker });
  return Promise.all(
    clients.map(async (client) => {
      await until(() => client.received.some(isMarker), { what: `the marker at ${client.privateGroup}` });
      const messages = client.received.splice(0, client.received.findIndex(isMarker) + 1);
      return messages.slice(0, -1);
    }),
  );
}
