// A sidecar without mailboxes: a gRPC server that responds as a case tells it, and records each call with its time.
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import * as api from 'spread-sidecar-proto';
import { type Fault, toServiceError } from '../clients/fake-mailbox-service.js';
import { FaultProxy } from '../network/fault-proxy.js';
import { DEFAULT_RESPONSES } from './default-responses.js';
import { encodeFrame, type FrameForm } from './frames.js';

/** An error as a case writes it. */
export type ScriptedError = Omit<Fault, 'code'> & {
  readonly code: keyof typeof status;
  /** The trailer `grpc-status-details-bin` has bytes that are no message. */
  readonly malformedDetails?: true;
};

/** The response to one call. Without a member, the call succeeds with the default response. */
export interface ScriptedAnswer {
  /** Fields of the response that differ from the default response. Null: the field is not set. */
  readonly response?: Readonly<Record<string, unknown>>;
  /** The bytes of the response in hexadecimal digits. */
  readonly bytes?: string;
  readonly error?: ScriptedError;
  /** The call gets no response. */
  readonly hang?: true;
  /** The call gets its response with the action `release`. */
  readonly held?: true;
  /** The TCP connection of the call breaks. */
  readonly breaks?: 'cut' | 'reset';
  /** Frames of a Receive stream. Default: only `attached`. */
  readonly frames?: readonly FrameForm[];
  /** The Receive stream sends heartbeats at the requested interval. */
  readonly heartbeats?: true;
  /** The Receive stream ends after the frames: with OK, or with `error`. */
  readonly ends?: true;
  /** After the response to its opening frame, the MulticastStream gets responses only with the action `respond`. */
  readonly silent?: true;
  /** The MulticastStream rejects each message. */
  readonly rejects?: true;
  /** Number of calls that get this answer. Default: 1. */
  readonly times?: number;
}

/** A recorded call. */
export interface RecordedCall {
  readonly method: string;
  readonly request: unknown;
  /** Time of arrival on the clock of the scripted sidecar. Unit: ms. */
  readonly at: number;
  /** Whether the client has cancelled the call. */
  cancelled: boolean;
  /** Frames of a MulticastStream. */
  readonly frames: { readonly messages: number; readonly respond: boolean }[];
}

type ReceiveCall = ServerWritableStream<api.ReceiveRequest, Buffer>;
type SenderCall = ServerDuplexStream<api.MulticastStreamRequest, Buffer>;

const BYTES = (bytes: Buffer) => bytes;
const SERVICE = api.MailboxServiceService;
type Method = keyof typeof SERVICE;

/** The service with responses as bytes, so that a case can send bytes that no release sends. */
const DEFINITION = Object.fromEntries(
  Object.entries(SERVICE).map(([name, method]) => [name, { ...method, responseSerialize: BYTES }]),
) as unknown as Record<string, (typeof SERVICE)[Method]>;

const encode = (method: string, response: unknown) =>
  SERVICE[method as Method].responseSerialize(response as never) as Buffer;

export class ScriptedSidecar {
  readonly calls: RecordedCall[] = [];
  readonly #server = new Server();
  readonly #answers = new Map<string, ScriptedAnswer[]>();
  readonly #defaults = new Map<string, ScriptedAnswer>();
  readonly #held: { readonly method: string; respond(): void }[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #connect: api.ConnectRequest | undefined;
  #receive: { readonly call: ReceiveCall; readonly record: RecordedCall } | undefined;
  #sender: SenderCall | undefined;
  #link: FaultProxy | undefined;

  /** Starts the server, and a link with controllable faults in front of it. */
  static async start(): Promise<ScriptedSidecar> {
    const sidecar = new ScriptedSidecar();
    sidecar.#server.addService(DEFINITION as never, sidecar.#implementation() as never);
    const port = await new Promise<number>((resolve, reject) =>
      sidecar.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    sidecar.#link = await FaultProxy.start(port);
    return sidecar;
  }

  get target(): string {
    return `127.0.0.1:${this.link.port}`;
  }

  /** The link between the client and the server. */
  get link(): FaultProxy {
    return this.#link as FaultProxy;
  }

  /** The calls of a method, in the order of their arrival. */
  of(method: string): readonly RecordedCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** Sets the answers of the next calls of a method, after those that are already set. */
  answer(method: string, answers: readonly ScriptedAnswer[]): void {
    checkMethod(method);
    this.#answers.set(method, [...(this.#answers.get(method) ?? []), ...answers.flatMap(repeated)]);
  }

  /** Sets the answer of all calls of a method for which `answer` has set none. */
  always(method: string, answer: ScriptedAnswer): void {
    checkMethod(method);
    this.#defaults.set(method, answer);
  }

  /** Forgets the recorded calls of a method. */
  forget(method: string): void {
    for (let i = this.calls.length - 1; i >= 0; i -= 1)
      if (this.calls[i]?.method === method) this.calls.splice(i, 1);
  }

  /** Responds to the held calls of a method. */
  release(method: string): void {
    const isChosen = (one: { readonly method: string }) => one.method === method;
    const chosen = this.#held.filter(isChosen);
    this.#held.splice(0, this.#held.length, ...this.#held.filter((one) => !isChosen(one)));
    for (const held of chosen) held.respond();
  }

  /** Whether a Receive stream is open. */
  get isReceiving(): boolean {
    return this.#receive !== undefined;
  }

  /** Sends frames on the Receive stream. */
  send(frames: readonly FrameForm[]): void {
    const { call } = this.#openReceive();
    for (const frame of frames) call.write(encodeFrame(frame, call.request));
  }

  /**
   * Sends large events until the client reads nothing more for `idleMs`. Returns the sequence of the last event.
   * Throws if the client reads all events.
   */
  async fill({ from, idleMs }: { from: number; idleMs: number }): Promise<number> {
    const { call } = this.#openReceive();
    for (let sequence = from; sequence < from + FILL_EVENTS; sequence += 1) {
      const hasRoom = call.write(encodeFrame({ largeEvent: sequence }, call.request));
      if (!hasRoom && !(await drained(call, idleMs))) return sequence;
    }
    throw new Error(`the client read ${FILL_EVENTS} large events that the application did not take`);
  }

  /** Ends the Receive stream. */
  end(error?: ScriptedError): void {
    const { call } = this.#openReceive();
    this.#receive = undefined;
    endStream(call, error);
  }

  /** Responds on the MulticastStream. */
  respond(response: Readonly<Record<string, unknown>>): void {
    this.#openSender().write(encode('multicastStream', api.MulticastStreamResponse.fromPartial(response)));
  }

  /** Ends the MulticastStream. */
  endSender(error?: ScriptedError): void {
    endStream(this.#openSender(), error);
    this.#sender = undefined;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#link?.stop();
    this.#server.forceShutdown();
  }

  #openReceive() {
    if (this.#receive === undefined) throw new Error('no Receive stream is open');
    return this.#receive;
  }

  #openSender() {
    if (this.#sender === undefined) throw new Error('no MulticastStream is open');
    return this.#sender;
  }

  #record(method: string, request: unknown): RecordedCall {
    const record = { method, request, at: performance.now(), cancelled: false, frames: [] };
    this.calls.push(record);
    return record;
  }

  #next(method: string): ScriptedAnswer {
    return this.#answers.get(method)?.shift() ?? this.#defaults.get(method) ?? {};
  }

  #implementation() {
    const unary = Object.keys(DEFAULT_RESPONSES).map((method) => [
      method,
      (call: ServerUnaryCall<unknown, Buffer>, callback: sendUnaryData<Buffer>) =>
        this.#onUnary(method, call, callback),
    ]);
    return {
      ...Object.fromEntries(unary),
      receive: (call: ReceiveCall) => this.#onReceive(call),
      multicastStream: (call: SenderCall) => this.#onSender(call),
    };
  }

  #onUnary(method: string, call: ServerUnaryCall<unknown, Buffer>, callback: sendUnaryData<Buffer>): void {
    const record = this.#record(method, call.request);
    call.on('cancelled', () => {
      record.cancelled = true;
    });
    if (method === 'connect') this.#connect = call.request as api.ConnectRequest;
    const answer = this.#next(method);
    const respond = () => {
      if (answer.error) callback(toError(answer.error));
      else callback(null, this.#responseOf(method, call.request, answer));
    };
    if (answer.hang) return;
    if (answer.breaks) this.link[answer.breaks]();
    else if (answer.held) this.#held.push({ method, respond });
    else respond();
  }

  #responseOf(method: string, request: unknown, { response = {}, bytes }: ScriptedAnswer): Buffer {
    if (bytes !== undefined) return Buffer.from(bytes, 'hex');
    const opened = this.#connect ? { connect: this.#connect } : {};
    const changed = Object.fromEntries(
      Object.entries(response).map(([key, value]) => [key, value ?? undefined]),
    );
    return encode(method, { ...DEFAULT_RESPONSES[method]!(request as never, opened), ...changed });
  }

  #onReceive(call: ReceiveCall): void {
    const record = this.#record('receive', call.request);
    const answer = this.#next('receive');
    call.on('error', () => {});
    call.on('cancelled', () => {
      record.cancelled = true;
      if (this.#receive?.call === call) this.#receive = undefined;
    });
    if (answer.breaks) {
      this.link[answer.breaks]();
      return;
    }
    if (answer.hang) return;
    const frames = answer.frames ?? (answer.error ? [] : [{ attached: true as const }]);
    for (const frame of frames) call.write(encodeFrame(frame, call.request));
    if (answer.error || answer.ends) endStream(call, answer.error);
    else this.#receive = { call, record };
    if (answer.heartbeats) this.#beat(call, record);
  }

  #beat(call: ReceiveCall, record: RecordedCall): void {
    const { heartbeatInterval, afterSequence = 0n } = call.request;
    if (heartbeatInterval === undefined) throw new Error('the client asks for no heartbeats');
    const intervalMs = Number(heartbeatInterval.seconds) * 1000 + heartbeatInterval.nanos / 1e6;
    const timer = setInterval(() => {
      if (record.cancelled || this.#receive?.call !== call) clearInterval(timer);
      else call.write(encodeFrame({ heartbeat: Number(afterSequence) }, call.request));
    }, intervalMs);
    this.#timers.add(timer);
  }

  #onSender(call: SenderCall): void {
    const record = this.#record('multicastStream', undefined);
    const answer = this.#next('multicastStream');
    this.#sender = call;
    let decided = 0;
    let accepted = 0;
    call.on('cancelled', () => {
      record.cancelled = true;
    });
    call.on('error', () => {});
    call.on('data', ({ frame }: api.MulticastStreamRequest) => {
      if (frame?.$case === 'open') {
        (record as { request: unknown }).request = frame.value;
        this.respond({ decided: '0', accepted: '0' });
        return;
      }
      if (frame?.$case !== 'batch') return;
      const { messages, respond } = frame.value;
      record.frames.push({ messages: messages.length, respond });
      const refusals = answer.rejects ? messages.map((_, i) => refusal(decided + i + 1)) : [];
      decided += messages.length;
      accepted += messages.length - refusals.length;
      if (!answer.silent) this.respond({ decided: String(decided), accepted: String(accepted), refusals });
    });
    call.on('end', () => {
      if (answer.silent || this.#sender !== call) return;
      call.end();
    });
  }
}

/** More bytes than any client's flow-control window. */
const FILL_EVENTS = 600;

function drained(call: ReceiveCall, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    call.once('drain', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function toError({ code, malformedDetails, ...fault }: ScriptedError) {
  const error = toServiceError({ ...fault, code: status[code] });
  if (malformedDetails) {
    error.metadata = new Metadata();
    error.metadata.set('grpc-status-details-bin', Buffer.from('ffffff', 'hex'));
  }
  return error;
}

const refusal = (index: number) => ({
  index: String(index),
  statusCode: status.INVALID_ARGUMENT,
  statusMessage: 'rejected',
  reason: 'ILLEGAL_GROUP',
  domain: 'spread.org',
});

function endStream(
  call: { end(): void; emit(event: 'error', error: Error): boolean },
  error?: ScriptedError,
) {
  if (error) call.emit('error', toError(error));
  else call.end();
}

function repeated({ times = 1, ...answer }: ScriptedAnswer): ScriptedAnswer[] {
  return Array.from({ length: times }, () => answer);
}

function checkMethod(method: string): void {
  if (!(method in SERVICE)) throw new Error(`the contract has no method ${method}`);
}
