import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import * as api from 'spread-sidecar-proto';
import { type Event, ServiceType } from 'spread-sidecar-proto';
import { until, within } from '../until.js';
import { type RpcError, rpcErrorOf } from './rpc-error.js';

export type Partially<T> = T extends Buffer | bigint | string | number | boolean
  ? T
  : T extends (infer Item)[]
    ? Partially<Item>[]
    : { [Key in keyof T]?: Partially<T[Key]> };

const REQUESTS = {
  connect: api.ConnectRequest,
  disconnect: api.DisconnectRequest,
  join: api.JoinRequest,
  leave: api.LeaveRequest,
  multicast: api.MulticastRequest,
  acknowledge: api.AcknowledgeRequest,
  poll: api.PollRequest,
  getMailbox: api.GetMailboxRequest,
  getView: api.GetViewRequest,
  listMailboxes: api.ListMailboxesRequest,
  getVersion: api.GetVersionRequest,
};
export type UnaryMethod = keyof typeof REQUESTS;
type Service = typeof api.MailboxServiceService;
type RequestOf<M extends UnaryMethod> = Parameters<Service[M]['requestSerialize']>[0];
type ResponseOf<M extends UnaryMethod> = ReturnType<Service[M]['responseDeserialize']>;

/** Makes a unary call with the relevant fields. Rejects with the error of grpc-js. */
export function call<M extends UnaryMethod>(
  client: api.MailboxServiceClient,
  method: M,
  request: Partially<RequestOf<M>>,
  options: Partial<CallOptions> & { metadata?: Record<string, string> } = {},
): Promise<ResponseOf<M>> {
  const { path, requestSerialize, responseDeserialize } = api.MailboxServiceService[method];
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  const whole = (REQUESTS[method].fromPartial as (partial: object) => never)(request);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize as (value: never) => Buffer,
      responseDeserialize as (bytes: Buffer) => ResponseOf<M>,
      whole,
      metadata,
      options,
      (error, response) => (error ? reject(error) : resolve(response!)),
    );
  });
}

/** A mailbox and the calls on it. */
export class TestMailbox {
  constructor(
    readonly client: api.MailboxServiceClient,
    readonly connected: api.ConnectResponse,
  ) {}

  static async open(
    client: api.MailboxServiceClient,
    request: Partially<api.ConnectRequest> = {},
  ): Promise<TestMailbox> {
    return new TestMailbox(client, await call(client, 'connect', request));
  }

  get id(): string {
    return this.connected.mailboxId;
  }

  get privateGroup(): string {
    return this.connected.privateGroup;
  }

  call<M extends UnaryMethod>(
    method: M,
    request?: Partially<Omit<RequestOf<M>, 'mailboxId'>>,
    options?: Partial<CallOptions>,
  ): Promise<ResponseOf<M>> {
    const whole = { mailboxId: this.id, ...(request as object) };
    return call(this.client, method, whole as Partially<RequestOf<M>>, options);
  }

  send(groups: string | string[], payload: string | Buffer, rest: Partially<api.MulticastMessage> = {}) {
    return this.call('multicast', { message: message(groups, payload, rest) });
  }

  receive(request: Partially<api.ReceiveRequest> = {}, client = this.client): Receiving {
    return new Receiving(
      client.receive(api.ReceiveRequest.fromPartial({ mailboxId: this.id, ...request } as object)),
    );
  }

  stream(): Sending {
    return new Sending(this.client.multicastStream(), this.id);
  }
}

export function message(
  groups: string | string[],
  payload: string | Buffer,
  rest: Partially<api.MulticastMessage> = {},
): Required<api.MulticastMessage> {
  return api.MulticastMessage.fromPartial({
    serviceType: ServiceType.AGREED,
    groups: [groups].flat(),
    payload: Buffer.from(payload),
    ...rest,
  } as object);
}

type Frame = NonNullable<api.ReceiveResponse['frame']>;

/** A Receive stream that is read at full speed unless it is paused. */
export class Receiving {
  readonly frames: Frame[] = [];
  readonly events: Event[] = [];
  readonly end: Promise<StatusObject>;
  ended: StatusObject | undefined;

  constructor(readonly stream: ClientReadableStream<api.ReceiveResponse>) {
    stream.on('data', ({ frame }: api.ReceiveResponse) => {
      this.frames.push(frame!);
      if (frame?.$case === 'batch') this.events.push(...frame.value.events);
    });
    stream.on('error', () => {});
    this.end = new Promise((resolve) => {
      stream.on('status', (ended: StatusObject) => {
        this.ended = ended;
        resolve(ended);
      });
    });
  }

  /** The first frame. */
  async attached(): Promise<api.ReceiveAttached> {
    const [frame] = await until(() => (this.frames.length > 0 || this.ended) && this.frames, {
      what: 'attached',
    });
    if (frame?.$case !== 'attached') throw new Error(`not attached: ${JSON.stringify(this.ended)}`);
    return frame.value;
  }

  /** The first `count` events, after they arrived. */
  async first(count: number, timeoutMs?: number): Promise<Event[]> {
    await until(() => this.events.length >= count, {
      what: `${count} events, not ${this.events.length}`,
      timeoutMs,
    });
    return this.events.slice(0, count);
  }

  /** The texts of all regular messages so far. */
  get texts(): string[] {
    return this.events.flatMap(({ kind }) =>
      kind?.$case === 'regularMessage' ? [kind.value.payload.toString()] : [],
    );
  }

  get sequences(): number[] {
    return this.events.map(({ sequence }) => Number(sequence));
  }

  framesOf<Case extends Frame['$case']>($case: Case): Extract<Frame, { $case: Case }>['value'][] {
    return this.frames.filter((frame) => frame.$case === $case).map(({ value }) => value) as never;
  }

  /** The error of the stream. */
  async failure(): Promise<RpcError> {
    return rpcErrorOf(await within(this.end, 'the end of the Receive stream'));
  }

  cancel(): void {
    this.stream.cancel();
  }
}

/** A MulticastStream. */
export class Sending {
  readonly answers: api.MulticastStreamResponse[] = [];
  readonly end: Promise<StatusObject>;
  ended: StatusObject | undefined;

  constructor(
    readonly stream: ClientDuplexStream<api.MulticastStreamRequest, api.MulticastStreamResponse>,
    mailboxId?: string,
  ) {
    stream.on('data', (answer: api.MulticastStreamResponse) => this.answers.push(answer));
    stream.on('error', () => {});
    this.end = new Promise((resolve) => {
      stream.on('status', (ended: StatusObject) => {
        this.ended = ended;
        resolve(ended);
      });
    });
    if (mailboxId !== undefined)
      this.frame({ $case: 'open', value: { mailboxId, respondsOnRequest: false } });
  }

  frame(frame: api.MulticastStreamRequest['frame']): boolean {
    return this.stream.write({ frame });
  }

  batch(...messages: api.MulticastMessage[]): boolean {
    return this.frame({ $case: 'batch', value: { messages, respond: false } });
  }

  /** The last response, after `count` messages are decided. */
  async decided(count: number, timeoutMs?: number): Promise<api.MulticastStreamResponse> {
    await until(() => this.answers.some(({ decided }) => decided >= count) || this.ended, {
      what: `${count} decided`,
      timeoutMs,
    });
    const answer = this.answers.find(({ decided }) => decided >= count);
    if (!answer) throw new Error(`ended with ${JSON.stringify(this.ended)}`);
    return answer;
  }

  get refusals(): api.MulticastRefusal[] {
    return this.answers.flatMap(({ refusals }) => refusals);
  }

  /** Half-closes and waits for OK. */
  async finish(): Promise<void> {
    this.stream.end();
    const ended = await within(this.end, 'the end of the MulticastStream');
    if (ended.code !== status.OK) throw new Error(`ended with ${status[ended.code]}: ${ended.details}`);
  }

  async failure(): Promise<RpcError> {
    return rpcErrorOf(await within(this.end, 'the end of the MulticastStream'));
  }
}
