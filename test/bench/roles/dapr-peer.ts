import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type ClientDuplexStream, credentials, type GrpcObject, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { DAPR_COMPONENT } from '../servers/dapr.js';
import type { Peer } from './peer.js';

const PROTO = fileURLToPath(new URL('dapr.proto', import.meta.url));
/** Largest number of concurrent PublishEvent calls, as for a `concurrent` peer of the sidecar. */
const CALLS = 64;
/** daprd passes the bytes on, and wraps them in no CloudEvent. */
const RAW = { rawPayload: 'true' };

interface PublishRequest {
  readonly pubsubName: string;
  readonly topic: string;
  readonly data: Buffer;
  readonly dataContentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface SubscribeRequest {
  readonly initialRequest?: {
    readonly pubsubName: string;
    readonly topic: string;
    readonly metadata: object;
  };
  readonly eventProcessed?: { readonly id: string; readonly status: { readonly status: number } };
}

interface SubscribeResponse {
  readonly initialResponse?: object;
  readonly eventMessage?: { readonly id: string; readonly data: Buffer };
}

type Subscription = ClientDuplexStream<SubscribeRequest, SubscribeResponse>;

interface DaprClient {
  publishEvent(request: PublishRequest, done: (error: Error | null) => void): void;
  subscribeTopicEventsAlpha1(): Subscription;
  close(): void;
}

/** The service Dapr of the package dapr.proto.runtime.v1. */
export function daprService(): new (...args: unknown[]) => DaprClient {
  const loaded = loadPackageDefinition(loadSync(PROTO, { longs: Number, oneofs: true }));
  const path = ['dapr', 'proto', 'runtime', 'v1', 'Dapr'];
  return path.reduce((at, name) => at[name] as GrpcObject, loaded) as never;
}

/** Dapr's pub/sub over plain grpc-js. PublishEvent is unary, so several calls are open at a time. */
export class DaprPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #client: DaprClient;
  readonly #subscriptions = new Map<string, Subscription>();
  #calls = 0;
  #failure: Error | undefined;
  #room: (() => void) | undefined;

  static async open(port: number): Promise<DaprPeer> {
    const Client = daprService();
    return new DaprPeer(new Client(`127.0.0.1:${port}`, credentials.createInsecure()));
  }

  private constructor(client: DaprClient) {
    this.#client = client;
  }

  async join(topic: string): Promise<void> {
    const stream = this.#client.subscribeTopicEventsAlpha1();
    this.#subscriptions.set(topic, stream);
    const confirmed = new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', ({ initialResponse, eventMessage }: SubscribeResponse) => {
        if (initialResponse) resolve();
        if (!eventMessage) return;
        this.onMessage(eventMessage.data);
        stream.write({ eventProcessed: { id: eventMessage.id, status: { status: 0 } } });
      });
    });
    stream.write({ initialRequest: { pubsubName: DAPR_COMPONENT, topic, metadata: RAW } });
    await confirmed;
  }

  async leave(topic: string): Promise<void> {
    this.#subscriptions.get(topic)?.end();
    this.#subscriptions.delete(topic);
  }

  async ownTopic(): Promise<string> {
    const topic = randomUUID();
    await this.join(topic);
    return topic;
  }

  send(topic: string, payload: Buffer): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    this.#calls += 1;
    this.#client.publishEvent(
      {
        pubsubName: DAPR_COMPONENT,
        topic,
        data: payload,
        dataContentType: 'application/octet-stream',
        metadata: RAW,
      },
      (error) => {
        this.#calls -= 1;
        this.#failure ??= error ?? undefined;
        this.#room?.();
      },
    );
    return this.#calls < CALLS ? undefined : this.#until(CALLS - 1);
  }

  async flush(): Promise<void> {
    await this.#until(0);
  }

  async close(): Promise<void> {
    for (const stream of this.#subscriptions.values()) stream.end();
    this.#client.close();
  }

  async #until(calls: number): Promise<void> {
    while (this.#calls > calls)
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    if (this.#failure) throw this.#failure;
  }
}
