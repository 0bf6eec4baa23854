import { once } from 'node:events';
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DaprPeer, daprService } from '../../bench/roles/dapr-peer.js';
import { subject } from '../../bench/subjects.js';
import { until } from '../../support/until.js';

interface Published {
  readonly pubsubName: string;
  readonly topic: string;
  readonly data: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Request {
  readonly initialRequest?: { readonly topic: string; readonly pubsubName: string };
  readonly eventProcessed?: { readonly id: string; readonly status: { readonly status: number } };
}

/** The two calls of daprd. It confirms a subscription, and sends each event to the subscriptions of its topic. */
class FakeDaprd {
  readonly published: Published[] = [];
  readonly acknowledged: string[] = [];
  readonly subscriptions = new Map<string, ServerDuplexStream<Request, object>>();
  /** The answer to PublishEvent. */
  error: { code: number; details: string } | null = null;
  /** Calls of PublishEvent that wait for release(). */
  held: (() => void)[] | undefined;
  port = 0;

  async start(): Promise<this> {
    const server = new Server();
    const subscribe: handleBidiStreamingCall<Request, object> = (call) => {
      call.on('data', ({ initialRequest, eventProcessed }: Request) => {
        if (initialRequest) {
          this.subscriptions.set(initialRequest.topic, call);
          call.write({ initialResponse: {} });
        }
        if (eventProcessed) this.acknowledged.push(`${eventProcessed.id} ${eventProcessed.status.status}`);
      });
      call.on('end', () => call.end());
    };
    const publish: handleUnaryCall<Published, object> = ({ request }, respond) => {
      this.published.push(request);
      const id = `event-${this.published.length}`;
      const answer = () => {
        this.subscriptions.get(request.topic)?.write({ eventMessage: { id, data: request.data } });
        respond(this.error, {});
      };
      if (this.held) this.held.push(answer);
      else answer();
    };
    const { service } = daprService() as unknown as ServiceClientConstructor;
    server.addService(service, { PublishEvent: publish, SubscribeTopicEventsAlpha1: subscribe });
    this.port = await new Promise((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    onTestFinished(() => server.forceShutdown());
    return this;
  }

  async peer(): Promise<DaprPeer> {
    const peer = await DaprPeer.open(this.port);
    onTestFinished(() => peer.close());
    return peer;
  }
}

describe('the subject dapr', () => {
  it('is skipped with a reason unless DAPRD names daprd', () => {
    expect(subject('dapr').missing({})).toContain('set DAPRD to the path of daprd');
    expect(subject('dapr').missing({ DAPRD: '/usr/bin/daprd' })).toBeUndefined();
  });

  it('receives the events of its topic, and acknowledges each', async () => {
    const daprd = await new FakeDaprd().start();
    const [receiver, sender] = [await daprd.peer(), await daprd.peer()];
    const received: string[] = [];
    receiver.onMessage = (payload) => received.push(Buffer.from(payload).toString());
    await receiver.join('t');
    for (const [topic, text] of [
      ['t', 'one'],
      ['other', 'two'],
      ['t', 'three'],
    ] as const)
      await sender.send(topic, Buffer.from(text));
    await sender.flush();
    await until(() => daprd.acknowledged.length === 2, { what: 'both events are acknowledged' });
    expect(received).toEqual(['one', 'three']);
    expect(daprd.acknowledged).toEqual(['event-1 0', 'event-3 0']);
  });

  it('publishes plain bytes to the component of the benchmark', async () => {
    const daprd = await new FakeDaprd().start();
    const sender = await daprd.peer();
    await sender.send('t', Buffer.from([0, 255]));
    await sender.flush();
    expect(daprd.published).toMatchObject([
      { pubsubName: 'bench', topic: 't', data: Buffer.from([0, 255]), metadata: { rawPayload: 'true' } },
    ]);
  });

  it('has at most 64 open calls', async () => {
    const daprd = await new FakeDaprd().start();
    daprd.held = [];
    const sender = await daprd.peer();
    for (let i = 0; i < 63; i += 1) expect(sender.send('t', Buffer.alloc(1))).toBeUndefined();
    let room = false;
    const last = sender.send('t', Buffer.alloc(1));
    expect(last).toBeInstanceOf(Promise);
    const waiting = last?.then(() => {
      room = true;
    });
    await until(() => daprd.held?.length === 64, { what: 'daprd has 64 calls' });
    expect(room).toBe(false);
    daprd.held.shift()?.();
    await waiting;
    for (const answer of daprd.held.splice(0)) answer();
    await sender.flush();
  });

  it('reports a failed call at the next flush', async () => {
    const daprd = await new FakeDaprd().start();
    daprd.error = { code: 9, details: 'no such component' };
    const sender = await daprd.peer();
    sender.send('t', Buffer.alloc(1));
    await expect(sender.flush()).rejects.toThrow('no such component');
  });

  it('ends the subscription of a topic that it leaves', async () => {
    const daprd = await new FakeDaprd().start();
    const receiver = await daprd.peer();
    await receiver.join('t');
    const stream = daprd.subscriptions.get('t') as ServerDuplexStream<Request, object>;
    const ended = once(stream, 'end');
    await receiver.leave('t');
    await ended;
  });
});
