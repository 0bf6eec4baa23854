import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { RAW_METHODS } from '../servers/raw-grpc.js';
import type { Peer } from './peer.js';

const { relay, echo } = RAW_METHODS;

/** One stream of a bare grpc-js relay. A connection can have one topic. */
export class GrpcRelayPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #client: Client;
  #stream: ClientDuplexStream<Buffer, Buffer> | undefined;

  static async open(port: number): Promise<GrpcRelayPeer> {
    return new GrpcRelayPeer(new Client(`127.0.0.1:${port}`, credentials.createInsecure()));
  }

  private constructor(client: Client) {
    this.#client = client;
  }

  async join(topic: string): Promise<void> {
    const stream = this.#client.makeBidiStreamRequest(
      relay.path,
      relay.requestSerialize,
      relay.responseDeserialize,
    );
    stream.on('error', () => {});
    stream.write(Buffer.from(topic, 'latin1'));
    await new Promise((resolve) => stream.once('data', resolve));
    stream.on('data', (message: Buffer) => this.onMessage(message));
    this.#stream = stream;
  }

  leave(): Promise<void> {
    return Promise.reject(new Error('the relay has no leave'));
  }

  async ownTopic(): Promise<string> {
    const topic = `own-${process.pid}`;
    await this.join(topic);
    return topic;
  }

  send(topic: string, payload: Buffer): undefined {
    const head = Buffer.alloc(1 + topic.length);
    head.writeUInt8(topic.length, 0);
    head.write(topic, 1, 'latin1');
    this.#stream?.write(Buffer.concat([head, payload]));
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.#stream?.end();
    this.#client.close();
  }
}

/** A unary call of bare grpc-js: `send` resolves with the response, and nothing is received. */
export class GrpcUnaryPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #client: Client;

  static async open(port: number): Promise<GrpcUnaryPeer> {
    return new GrpcUnaryPeer(new Client(`127.0.0.1:${port}`, credentials.createInsecure()));
  }

  private constructor(client: Client) {
    this.#client = client;
  }

  async join(): Promise<void> {}

  async leave(): Promise<void> {}

  async ownTopic(): Promise<string> {
    return '';
  }

  send(_topic: string, payload: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        echo.path,
        echo.requestSerialize,
        echo.responseDeserialize,
        payload,
        (error) => (error ? reject(error) : resolve()),
      );
    });
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.#client.close();
  }
}
